import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HERE } from '../sandbox.ts';

export const MODULES = join(HERE, 'node_modules');
export const INSTALL = 'npm ci --prefix bench/peers';

/** Why a package cannot be used, and the command that installs it; null where it can. */
export function missingPackage(name: string, command: string): { why: string; install: string } | null {
  if (existsSync(command) && installedVersion(name)) return null;
  return { why: `${name} is not installed, or only in part`, install: INSTALL };
}

/** Reads the version of a package; null where it is not installed, or only in part. */
export function installedVersion(name: string, modules = MODULES): string | null {
  try {
    return JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version ?? null;
  } catch {
    return null; // not there, or cut short: npm has to do it again
  }
}
