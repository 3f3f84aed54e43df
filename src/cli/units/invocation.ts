import { realpathSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The command as a unit has to start it: Node by its path, for systemd knows no version manager, and the file of this very
 * command. The two dashes keep an `--env-file` of ours from Node.
 *
 * @param folder where the service is; a `handover` of its own is named by that folder, symlinks kept
 */
export function findInvocation(folder: string): { readonly words: readonly string[]; readonly isLasting: boolean } {
  const file = process.argv[1] ?? '';
  const own = join(folder, 'node_modules/handover/dist/cli.js');
  const isOwn = real(own) !== null && real(own) === real(file);
  const path = isOwn ? own : (real(file) ?? file);
  // What npx has fetched is gone whenever its cache is emptied.
  return { words: [process.execPath, '--', path], isLasting: !/[\\/]_npx[\\/]/.test(path) };
}

function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
