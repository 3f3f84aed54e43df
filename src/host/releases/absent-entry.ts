import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { findNearestName } from '../../options/nearest-name.ts';

/** What Node can run, or can be made to. */
const RUNNABLE = /^\.(?:[cm]?[jt]s|[jt]sx)$/;

/** Where people keep the file that starts an app. */
const PLACES = ['.', 'src', 'dist', 'build', 'lib', 'out', 'bin', 'server', 'app'];

/** Names that start an app more often than others. */
const USUAL = /^(?:server|app|main|index|start|www)\b/;

const MOST = 3;

/** Why there is nothing to start for a path, and what was probably meant, as it would be written. */
export interface Absent {
  readonly why: string;
  readonly fix: string;
}

/**
 * Explains a path at which there is nothing to start.
 *
 * @param entry as it was given, from `folder`
 */
export function explainAbsent(entry: string, folder: string): Absent {
  const path = resolve(folder, entry);
  const kind = kindOf(path);
  if (kind === 'folder') {
    const why = `in the folder ${path} is no index.js, nor a file that "main" of its package.json names`;
    const files = listRunnable(path);
    const usual = files.filter((file) => USUAL.test(basename(file)));
    return { why, fix: suggest(usual.length > 0 ? usual : files, folder) };
  }
  if (kind === 'other') return { why: `${path} is not a file`, fix: suggest([], folder) };
  if (kindOf(folder) !== 'folder')
    return { why: `the folder ${folder} does not exist`, fix: 'Give one that does as its working directory' };
  const fix = suggest(findLike(path, folder), folder);
  const install = /^[\w-]+$/.test(entry)
    ? '. If it is the command of a package, install that first, as with `npm ci`'
    : '';
  return { why: `${path} does not exist`, fix: fix + install };
}

function suggest(files: readonly string[], folder: string): string {
  const shown = files.slice(0, MOST).map((file) => relative(folder, file));
  const meant = shown.length === 0 ? '' : `: ${shown.join(' or ')}, perhaps`;
  return `Give the path of the file that starts the app${meant}`;
}

/** Files of the same name, or nearly, beside the path and where an app's files usually are. */
function findLike(path: string, folder: string): readonly string[] {
  const wanted = stem(path);
  const folders = new Set([dirname(path), ...PLACES.map((place) => join(folder, place))]);
  const all = [...folders].flatMap(listRunnable);
  const same = all.filter((file) => stem(file) === wanted);
  if (same.length > 0) return same;
  const near = findNearestName(wanted, all.map(stem), ({ length }) => (length > 4 ? 2 : 1));
  if (near !== undefined) return all.filter((file) => stem(file) === near);
  return USUAL.test(wanted) ? all.filter((file) => USUAL.test(basename(file))) : [];
}

function listRunnable(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => RUNNABLE.test(extname(name)) && !/\.(?:config|d)\./.test(name));
    return names.map((name) => join(folder, name));
  } catch {
    return []; // not there, or not for this user: nothing to propose
  }
}

function stem(path: string): string {
  return basename(path, extname(path));
}

function kindOf(path: string): 'folder' | 'other' | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  return found.isDirectory() ? 'folder' : 'other';
}
