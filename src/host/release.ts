import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Release } from '../core/model.ts';
import { type ErrorCode, HandoverError, systemCode } from '../errors.ts';

/**
 * Resolves an entry to real paths, anew each time: what `current` points to now is what starts.
 *
 * @param active the generation that serves meanwhile; without one an unreadable entry is wrong usage, with one a failed
 * deploy
 * @throws HANDOVER_ERR_OPTION_ENTRY, HANDOVER_ERR_CANDIDATE_ENTRY
 */
export function resolveRelease(entry: string, cwd: string, active: number | null): Release {
  const code: ErrorCode = active === null ? 'HANDOVER_ERR_OPTION_ENTRY' : 'HANDOVER_ERR_CANDIDATE_ENTRY';
  const serving = active === null ? 'nothing was started' : `generation ${active} is still active`;
  const path = resolve(cwd, entry);
  const fail = (why: string, cause?: unknown) =>
    new HandoverError(
      code,
      { what: `Cannot start ${entry}`, why, fix: `Give the path of the file that starts the app; ${serving}` },
      { cause, active }
    );
  try {
    const file = findFile(path);
    if (!statSync(file).isFile()) throw fail(`${file} is not a file`);
    readFileSync(file, { flag: 'r' });
    return { entry, file, cwd: realFolder(cwd) ?? dirname(file) };
  } catch (error) {
    if (HandoverError.is(error)) throw error;
    const reason = systemCode(error);
    const absent = reason === 'ENOENT' || reason === 'MODULE_NOT_FOUND';
    throw fail(absent ? `${path} does not exist` : `${path} cannot be read (${reason ?? 'unknown error'})`, error);
  }
}

/** The folder of an old release may be gone by now: the next one starts in its own. */
function realFolder(folder: string): string | null {
  try {
    return realpathSync(folder);
  } catch {
    return null;
  }
}

/** Names an app: the nearest package.json's name, else the file name. */
export function nameApp(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const name = readName(join(folder, 'package.json'));
    if (name !== null) return name;
    if (folder === dirname(folder)) return basename(file, extname(file));
  }
}

function readName(path: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null; // no package.json here, or none that says a name: the next folder up may
  }
}

/** A file as it is, or what Node would start for a folder or a name without extension. */
function findFile(path: string): string {
  try {
    const real = realpathSync(path);
    if (statSync(real).isFile()) return real;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  return realpathSync(createRequire(join(path, 'noop.js')).resolve(path));
}
