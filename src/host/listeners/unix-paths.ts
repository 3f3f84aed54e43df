import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, readFileSync, type Stats, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { HandoverError, systemCode } from '../../errors.ts';
import { isAnswered, LONGEST_PATH_BYTES } from '../unix.ts';

/** Who may connect to a socket. */
export interface Access {
  /** Null: as the system makes it. */
  readonly mode: number | null;
  /** A group by its name or number; null: that of this process. */
  readonly group: string | null;
}

/** A socket file that nobody answers on is left over and is removed; one that somebody answers on is theirs. */
export async function clearPath(path: string): Promise<void> {
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
  if (why === null) return removeIfThere(path);
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
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** Removes a socket file, unless it is another one by now. */
export function removeOwn(path: string, ino: number | null): void {
  if (ino !== null && identify(path) === ino) removeIfThere(path);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * Says who may connect.
 *
 * @throws HANDOVER_ERR_LISTEN_PERMISSION, HANDOVER_ERR_OPTION_INVALID if there is no such group
 */
export async function giveAccess(path: string, { mode, group }: Access): Promise<void> {
  const gid = group === null ? null : await findGroup(group);
  try {
    if (gid !== null) chownSync(path, -1, gid);
    if (mode !== null) chmodSync(path, mode);
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

/** Makes a socket that was bound anew as open as the one before it. */
export function repeatPermissions(path: string, { mode, uid, gid }: Permissions): void {
  const now = lstatSync(path);
  try {
    if (now.uid !== uid || now.gid !== gid) chownSync(path, uid, gid);
  } catch {
    // Somebody with more rights gave it away, which this user cannot. There with its mode it is of more use than not at all.
  }
  chmodSync(path, mode & 0o7777);
}

async function findGroup(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const line = readLocal(group) ?? (await askSystem(group));
  const gid = Number(line?.split(':')[2]);
  if (line !== null && Number.isInteger(gid)) return gid;
  throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Option "listenGroup" is not usable',
    why: `this machine has no group ${group}`,
    fix: 'Name one that `getent group` shows, or give its number'
  });
}

function readLocal(group: string): string | null {
  try {
    const lines = readFileSync('/etc/group', 'utf8').split('\n');
    return lines.find((line) => line.startsWith(`${group}:`)) ?? null;
  } catch {
    return null; // no such file, as on macOS: the system may know it all the same
  }
}

/** Groups may come from a directory service. */
async function askSystem(group: string): Promise<string | null> {
  try {
    return (await promisify(execFile)('getent', ['group', group])).stdout;
  } catch {
    return null; // no such group, or no such program
  }
}
