import { closeSync, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { HandoverError } from '../../errors.ts';
import { type Account, showAccount } from './account.ts';
import { actAs, type Identity } from './act-as.ts';

/** Something that workers cannot do without. */
export interface Need {
  /** What it is, in a message. */
  readonly what: string;
  /** A real path. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
}

interface Obstacle {
  readonly why: string;
  readonly fix: string;
}

/**
 * Makes sure that a user can reach all that its workers need.
 *
 * @throws HANDOVER_ERR_OPTION_USER, which names each path that it cannot, and the mend
 */
export function assertReachable(account: Account, needs: readonly Need[]): void {
  const look = () => needs.map((need) => findObstacle(account, need)).filter((one) => one !== null);
  const obstacles = actAs(account, look);
  if (obstacles.length === 0) return;
  const unique = (texts: string[]) => [...new Set(texts)].join('; ');
  throw new HandoverError('HANDOVER_ERR_OPTION_USER', {
    what: `Cannot run workers as ${showAccount(account)}`,
    why: unique(obstacles.map(({ why }) => why)),
    fix: unique(obstacles.map(({ fix }) => fix))
  });
}

/** Whether a user may read a file. */
export function mayRead(who: Identity, path: string): boolean {
  return actAs(who, () => canRead(path));
}

/** Whether a user could change what a path leads to: itself, or by a folder above it. Of a file that is not there, by its folder. */
export function couldChange(who: Identity, path: string): boolean {
  const real = existsSync(path) ? realpathSync(path) : path;
  const folders = new Set([path, real].flatMap((one) => foldersOf(dirname(one))));
  const isOpen = (folder: string) => existsSync(folder) && mayReplaceIn(who, folder);
  return [...folders].some(isOpen) || (existsSync(real) && mayChange(who, real));
}

/** Whether a user may put files of its own in the place of those that are in a folder, as its mode says. */
export function mayReplaceIn(who: Identity, folder: string): boolean {
  const { uid, mode } = statSync(folder);
  // Where the sticky bit is set, as in /tmp, others can be touched by their owners only.
  return uid === who.uid || ((mode & 0o1000) === 0 && mayChange(who, folder));
}

/** Whether a user may write to a file or folder, as its mode says. */
function mayChange({ uid, groups }: Identity, path: string): boolean {
  const found = statSync(path);
  if (found.uid === uid) return true; // who owns it can give itself the right
  return (found.mode & (groups.includes(found.gid) ? 0o020 : 0o002)) !== 0;
}

function canRead(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false; // whatever is in the way, that is the answer
  }
}

/** Looks with the rights that this process has at the moment. */
function findObstacle(account: Account, { what, path, kind }: Need): Obstacle | null {
  const who = showAccount(account);
  const folders = foldersOf(kind === 'folder' ? path : dirname(path));
  const closed = folders.find((folder) => !canEnter(folder));
  if (closed !== undefined) {
    const where = closed === path ? `which is ${what}` : `above ${what}, ${path}`;
    const better = closed === '/root' ? 'keep it elsewhere, such as in /srv or /opt' : 'keep it where that user can';
    return {
      why: `it may not enter ${closed}, ${where}`,
      fix: `Let it in (\`chmod o+x ${closed}\`, or \`setfacl -m u:${who}:x ${closed}\`), or ${better}`
    };
  }
  if (kind === 'folder' || canRead(path)) return null;
  return {
    why: `it may not read ${what}, ${path}`,
    fix: `Let it read it (\`chmod o+r ${path}\`, or \`chgrp\` and \`chmod g+r\`)`
  };
}

/** A folder and all above it, the highest first. */
function foldersOf(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [...foldersOf(above), folder];
}

function canEnter(folder: string): boolean {
  try {
    statSync(`${folder}/.`);
    return true;
  } catch {
    return false; // whatever is in the way, that is the answer
  }
}
