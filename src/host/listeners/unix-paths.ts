import { chmodSync, existsSync, lchownSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { HandoverError, systemCode } from '../../errors.ts';
import { type BindTo, bindHandle, type Handle } from '../../internals/net.ts';
import type { ListenArguments } from '../../protocol/messages.ts';
import { findGroupId } from '../rights/account.ts';
import { actAs, type Identity } from '../rights/act-as.ts';
import { inodeOf, isAnswered, LONGEST_PATH_BYTES } from '../unix.ts';

/** Who may connect to a socket. */
export interface Access {
  /** Null: as the system makes it. */
  readonly mode: number | null;
  /** A group by its name or number; null: that of this process. */
  readonly group: string | null;
}

/** Who may connect to a unix socket of `--listen` by default: whoever may enter its folder, such as a proxy of another user. */
const OPEN_MODE = 0o666;

/** Who may connect: what the operator said of a named socket, and what the app asked for of its own. */
export function accessOf(
  { readableAll, writableAll }: ListenArguments,
  named: boolean,
  { mode, group }: Access
): Access {
  if (named) return { mode: mode ?? OPEN_MODE, group };
  const open = 0o600 | (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
  return { mode: readableAll || writableAll ? open : null, group: null };
}

/** A socket file that nobody answers on is left over and is removed; one that somebody answers on is theirs. */
export async function clearPath(path: string, as: Identity | null = null): Promise<void> {
  const bytes = Buffer.byteLength(path);
  const absent = !existsSync(dirname(path));
  if (bytes > LONGEST_PATH_BYTES || absent) {
    throw new HandoverError('HANDOVER_ERR_LISTEN_ADDRESS', {
      what: `Cannot listen on unix:${path}`,
      why: absent
        ? `the folder ${dirname(path)} does not exist`
        : `the path has ${bytes} bytes, and a unix socket may have ${LONGEST_PATH_BYTES}`,
      fix: absent ? 'Make the folder, or choose another path' : 'Choose a shorter path'
    });
  }
  const why = await whoHas(path);
  if (why === null) return actAs(as, () => removeIfThere(path));
  throw new HandoverError('HANDOVER_ERR_LISTEN_IN_USE', {
    what: `Cannot listen on unix:${path}`,
    why,
    fix: 'Stop that program, or choose another path'
  });
}

/** Whom a path belongs to, in words; null where nobody answers, so that it may be taken. */
export async function whoHas(path: string): Promise<string | null> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return null;
  if (!stat.isSocket()) return 'a file that is not a socket is there';
  return (await isAnswered(path)) ? 'another program answers on it' : null;
}

/** The number by which a file is told from another one on the same path; null where there is none. */
export function identify(path: string): number | null {
  if (path.startsWith('\0')) return null; // an abstract name, which is no file
  return inodeOf(path);
}

/** Removes a socket file, unless it is another one by now. */
export function removeOwn(path: string, ino: number | null, as: Identity | null = null): void {
  actAs(ino === null ? null : as, () => {
    if (ino !== null && identify(path) === ino) removeIfThere(path);
  });
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** How open a socket is to be: as is to be given to it, or as it was seen. */
type Open = Partial<Omit<Permissions, 'mode'>> & { readonly mode?: number | null };

/**
 * Binds an address; a unix socket with its mode from the first moment on, whatever the umask is. Nothing is changed afterwards by
 * its path alone, which may lead somewhere else by then where others can write to its folder.
 *
 * @param as with whose rights; null: our own
 * @returns the handle, or a negative errno
 */
export function bindAs(as: Identity | null, to: BindTo, open: Open = {}): Handle | number {
  if (!('path' in to) || to.path.startsWith('\0')) return bindHandle(to);
  const { path } = to;
  const mode = typeof open.mode === 'number' ? open.mode & 0o777 : null;
  return actAs(as, () => {
    const mask = mode === null ? null : process.umask(0o777 & ~mode);
    const handle = bindHandle(to);
    if (mask !== null) process.umask(mask);
    if (typeof handle === 'number') return handle;
    repeatPermissions(path, mode, open);
    return handle;
  });
}

function repeatPermissions(path: string, mode: number | null, { uid, gid }: Open): void {
  const now = lstatSync(path);
  try {
    if (uid !== undefined && gid !== undefined && (now.uid !== uid || now.gid !== gid)) lchownSync(path, uid, gid);
  } catch {
    // Somebody with more rights gave it away, which this user cannot. There with its mode it is of more use than not at all.
  }
  // The folder may say what is in it to be open to whom, over the umask.
  if (mode !== null && now.isSocket() && now.uid === process.geteuid?.() && (now.mode & 0o777) !== mode)
    chmodSync(path, mode);
}

/**
 * Gives a socket to a group.
 *
 * @throws HANDOVER_ERR_LISTEN_PERMISSION, HANDOVER_ERR_OPTION_INVALID if there is no such group
 */
export async function giveGroup(path: string, { group }: Access, as: Identity | null): Promise<void> {
  if (group === null) return;
  const gid = await findGroupId(group);
  if (gid === null) {
    throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
      what: 'Option "listenGroup" is not usable',
      why: `this machine has no group ${group}`,
      fix: 'Name one that `getent group` shows, or give its number'
    });
  }
  try {
    actAs(as, () => lchownSync(path, -1, gid));
  } catch (error) {
    const account = {
      what: `Cannot give unix:${path} to the group ${group}`,
      why: `this user may not (${systemCode(error)})`,
      fix: 'Make this user a member of that group (`usermod -aG`), or run handover as root'
    };
    throw new HandoverError('HANDOVER_ERR_LISTEN_PERMISSION', account, { cause: error });
  }
}

/** Who may connect to a socket, as its file says. */
export type Permissions = Pick<Stats, 'mode' | 'uid' | 'gid'>;

/** What the file of a socket says; null where it is gone, or another one by now. */
export function readPermissions(path: string, ino: number | null): Permissions | null {
  const stat = ino === null ? undefined : lstatSync(path, { throwIfNoEntry: false });
  return stat?.ino === ino ? stat : null;
}
