import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { HandoverError } from '../errors.ts';
import { folderOfUser, LONGEST_PATH_BYTES, ownUid } from '../host/unix.ts';

const ENDING = '.sock';
const ROOT_FOLDER = '/run/handover';

/** The directory of this user's control sockets. */
export function socketFolder(): string {
  const uid = ownUid();
  const runtime = process.env.XDG_RUNTIME_DIR;
  // Root has one in its sessions only, where what the machine started for root would not be found.
  if (runtime && !(uid === 0 && runtime === '/run/user/0')) return join(runtime, 'handover');
  if (uid === 0) return ROOT_FOLDER;
  return isOf(folderOfUser(uid), uid) ? folderOfUser(uid) : join(tmpdir(), `handover-${uid}`);
}

/** The control socket of an app. Names are encoded, so that no name leads out of the directory; long ones are hashed. */
export function socketPath(name: string): string {
  const encoded = encodeURIComponent(name).replaceAll('.', '%2E');
  const path = join(socketFolder(), `${encoded}${ENDING}`);
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return path;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return join(socketFolder(), `${hash}${ENDING}`);
}

/** Every control socket that this user may use, whether somebody answers or not. */
export function findSockets(): readonly { readonly name: string; readonly path: string }[] {
  return [...new Set([socketFolder(), ...otherFolders()])].flatMap(listSockets);
}

/** Where the control socket of an app is: the one that is there, else where it would be made. */
export function findSocket(name: string): string {
  const path = socketPath(name);
  const all = [path, ...otherFolders().map((folder) => join(folder, basename(path)))];
  return all.find((one) => existsSync(one)) ?? path;
}

/** The folders of those that root has started to become another user: that user's own, or all of them for root. */
function otherFolders(): readonly string[] {
  const uid = ownUid();
  if (uid !== 0) return isOf(folderOfUser(uid), uid) ? [folderOfUser(uid)] : [];
  if (!isOurs(ROOT_FOLDER)) return [];
  const uids = readdirSync(ROOT_FOLDER).filter((name) => /^\d+$/.test(name));
  return uids.map((name) => folderOfUser(Number(name))).filter((folder, at) => isOf(folder, Number(uids[at])));
}

function listSockets(folder: string): readonly { readonly name: string; readonly path: string }[] {
  // Those of other folders were looked at.
  if (folder === socketFolder() && !isOurs(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(ENDING))
    .sort()
    .flatMap((file) => {
      const name = readName(file.slice(0, -ENDING.length));
      return name === null ? [] : [{ name, path: join(folder, file) }];
    });
}

function readName(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null; // no supervisor of ours is called that
  }
}

/** Workers of other users may go through the folder of root to what they have to reach, and see nothing else of it. */
function folderMode(): number {
  return ownUid() === 0 ? 0o711 : 0o700;
}

/**
 * Makes the directory of a control socket, in which only this user can look about.
 *
 * @throws HANDOVER_ERR_CONTROL_SOCKET if the default directory belongs to somebody else
 */
export function prepareSocketFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: folderMode() });
  if (folder !== socketFolder()) return;
  if (!isOurs(folder)) {
    throw new HandoverError('HANDOVER_ERR_CONTROL_SOCKET', {
      what: `Cannot use ${folder} for the control socket`,
      why: 'it is not a directory of this user',
      fix: 'Remove it, or give another place with --socket'
    });
  }
  chmodSync(folder, folderMode());
}

/** Whether a directory is a real one of this user: in a shared temp folder, anybody may have made it first. */
function isOurs(folder: string): boolean {
  return isOf(folder, ownUid());
}

function isOf(folder: string, uid: number): boolean {
  try {
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    return stat?.isDirectory() === true && stat.uid === uid;
  } catch {
    return false; // it is in a directory that this user may not even look into: XDG_RUNTIME_DIR is somebody else's
  }
}
