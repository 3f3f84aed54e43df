import { realpathSync } from 'node:fs';

/**
 * The working directory as the operator typed it, symlinks kept: behind a `current` link the next release is found by
 * resolving it again.
 */
export function logicalCwd(): string {
  const { PWD } = process.env;
  try {
    if (PWD && realpathSync(PWD) === realpathSync(process.cwd())) return PWD;
  } catch {
    // PWD names nothing (any more): the kernel's answer is as good as it gets.
  }
  return process.cwd();
}
