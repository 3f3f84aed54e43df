import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { systemCode } from '../../errors.ts';

/** What Node adds to a name, in its order: `.js`, `.json`, `.node`, and `.ts` where it runs that. */
const ENDINGS = Object.keys(createRequire(import.meta.url).extensions);

/**
 * Finds what Node would start for a path: a file, a name without its ending, a folder with a package.json or an index.
 *
 * Not by `require.resolve`, which keeps what it has found: after a deploy the "main" of the package may be another file.
 *
 * @returns its real path, or null where there is nothing to start
 * @throws what the file system says, other than that something is not there
 */
export function findEntryFile(path: string): string | null {
  const main = readMain(path);
  const inside = main === null ? [] : [...spellings(resolve(path, main)), ...spellings(join(path, main, 'index'))];
  for (const one of [...spellings(path), ...inside, ...spellings(join(path, 'index'))]) {
    if (statOf(one)?.isFile()) return realpathSync(one);
  }
  return null;
}

/** @throws what the file system says, other than that it is not there */
function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}

function spellings(path: string): string[] {
  return [path, ...ENDINGS.map((ending) => path + ending)];
}

function readMain(folder: string): string | null {
  try {
    const { main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { main?: unknown };
    return typeof main === 'string' && main !== '' ? main : null;
  } catch {
    return null; // no folder, or a package that says nothing usable: Node looks for an index then
  }
}
