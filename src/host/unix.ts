import { lstatSync, realpathSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { systemCode } from '../errors.ts';

/** The kernel keeps a path in 108 bytes, the last of which is 0. What is longer may be cut without a word. */
export const LONGEST_PATH_BYTES = 107;

/** How long a unix socket is given to show that somebody answers on it. */
const PROBE_MS = 1_000;

const SILENT = ['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'];

/** The number of the user this runs as. Who runs in a container may have no name: `os.userInfo` throws then. */
export function ownUid(): number {
  return process.getuid?.() ?? -1;
}

/** The name of the user this runs as; its number where it has none. */
export function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(ownUid()); // ENOENT: no such entry, as in a container
  }
}

/** Where control sockets of another user are that root has made a place for. */
export function folderOfUser(uid: number): string {
  return `/run/handover/${uid}`;
}

export function ownGid(): number {
  return process.getgid?.() ?? -1;
}

/**
 * The number by which a socket is told from another one on the same path; null where there is none.
 *
 * As a big integer: after a plain `lstat` of a socket, `realpath` of Node 20 and 22 stops at the first link that it resolves.
 * It looks at what that call left behind.
 *
 * @source nodejs/node lib/fs.js, realpathSync: isFileType(statValues, S_IFSOCK)
 */
export function inodeOf(path: string): number | null {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? Number(found.ino) : null;
}

/** Removes a file of ours. One that is gone, or cannot be removed, is dealt with by whoever makes it anew. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else removed it first, or the folder is gone or read-only: nothing is lost by that.
  }
}

/** Whether a program accepts connections on a unix socket. Not to answer at all counts too: what may be theirs is never taken. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ path });
    const end = (answered: boolean) => {
      socket.destroy();
      done(answered);
    };
    socket.setTimeout(PROBE_MS, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', (error) => end(!SILENT.includes(systemCode(error) ?? '')));
  });
}

/** Where a path leads to, or the path as it is. */
export function realpathOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // removed at the end of the service: the name is still worth knowing
  }
}
