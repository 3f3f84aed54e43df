import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readName } from '../../options/readers.ts';

/** How many digits of a commit are enough to name it, as git shows it. */
const SHORT = 7;
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * Finds a name for a release: the commit that is checked out where its entry is, else the version of its package.json.
 *
 * A repository above the nearest package.json is not that of the release: it may be the operator's own, of dotfiles or of
 * deploy scripts.
 */
export function findLabel(file: string): string | null {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const commit = readCommit(folder);
    if (commit !== null) return commit.slice(0, SHORT);
    const manifest = readText(join(folder, 'package.json'));
    if (manifest !== null) return readVersion(manifest);
    if (folder === dirname(folder)) return null;
  }
}

/** The commit of a folder that is the root of a checkout, read without git. */
function readCommit(folder: string): string | null {
  const git = findRepository(join(folder, '.git'));
  const head = git === null ? null : readLine(join(git, 'HEAD'));
  if (git === null || head === null) return null;
  if (COMMIT.test(head)) return head;
  const [, name] = /^ref: (refs\/\S+)$/.exec(head) ?? [];
  if (name === undefined || name.split('/').includes('..')) return null;
  // A worktree has a HEAD of its own and shares the branches.
  const shared = resolve(git, readLine(join(git, 'commondir')) ?? '.');
  const commit = readLine(join(git, name)) ?? readLine(join(shared, name)) ?? findPacked(shared, name);
  return commit !== null && COMMIT.test(commit) ? commit : null;
}

/** The folder of a repository: `.git` itself, or the one that it points to in a worktree or a submodule. */
function findRepository(path: string): string | null {
  if (existsSync(join(path, 'HEAD'))) return path;
  const [, target] = /^gitdir: (.+)$/.exec(readLine(path) ?? '') ?? [];
  return target === undefined ? null : resolve(dirname(path), target);
}

function findPacked(repository: string, name: string): string | null {
  const lines = (readText(join(repository, 'packed-refs')) ?? '').split('\n');
  return lines.find((line) => line.endsWith(` ${name}`))?.split(' ', 1)[0] ?? null;
}

function readVersion(manifest: string): string | null {
  try {
    const { version } = JSON.parse(manifest) as { version?: unknown };
    return readName(version) ?? null;
  } catch {
    return null; // not JSON, or null: a release without a name is no reason not to start it
  }
}

function readLine(path: string): string | null {
  return readText(path)?.split('\n', 1)[0]?.trim() ?? null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not there, or not for us: either way there is no label in it
  }
}
