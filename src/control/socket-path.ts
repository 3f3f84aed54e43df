import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HandoverError } from '../errors.ts';
import { LONGEST_PATH_BYTES, ownUid } from '../host/unix.ts';

const ENDING = '.sock';

/** The directory of this user's control sockets. */
export function socketFolder(): string {
  const uid = ownUid();
  const runtime = process.env.XDG_RUNTIME_DIR;
  if (runtime) return join(runtime, 'handover');
  return uid === 0 ? '/run/handover' : join(tmpdir(), `handover-${uid}`);
}

/** The control socket of an app. Names are encoded, so that no name leads out of the directory; long ones are hashed. */
export function socketPath(name: string): string {
  const encoded = encodeURIComponent(name).replaceAll('.', '%2E');
  const path = join(socketFolder(), `${encoded}${ENDING}`);
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return path;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return join(socketFolder(), `${hash}${ENDING}`);
}

/** Every control socket in the directory, whether somebody answers or not. */
export function findSockets(): readonly { readonly name: string; readonly path: string }[] {
  const folder = socketFolder();
  if (!isOurs(folder)) return [];
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

/**
 * Makes the directory of a control socket, for this user only.
 *
 * @throws HANDOVER_ERR_CONTROL_SOCKET if the default directory belongs to somebody else
 */
export function prepareSocketFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (folder !== socketFolder()) return;
  if (!isOurs(folder)) {
    throw new HandoverError('HANDOVER_ERR_CONTROL_SOCKET', {
      what: `Cannot use ${folder} for the control socket`,
      why: 'it is not a directory of this user',
      fix: 'Remove it, or give another place with --socket'
    });
  }
  chmodSync(folder, 0o700);
}

/** Whether a directory is a real one of this user: in a shared temp folder, anybody may have made it first. */
function isOurs(folder: string): boolean {
  try {
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    return stat?.isDirectory() === true && stat.uid === ownUid();
  } catch {
    return false; // it is in a directory that this user may not even look into: XDG_RUNTIME_DIR is somebody else's
  }
}
