import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { ownUid } from './unix.ts';

/**
 * Reads a file that nobody else can have written.
 *
 * @throws Error if it is not there, belongs to somebody else, or others can write to it
 */
export function readOwn(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { uid, mode } = fstatSync(file);
    if (uid !== ownUid()) throw new Error('it belongs to somebody else');
    if ((mode & 0o022) !== 0) throw new Error('others can write to it');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Writes a file, for this user only unless another mode is given: aside and then renamed: whoever reads it finds a whole one. */
export function replaceOwn(path: string, content: string | Buffer, mode = 0o600): void {
  const aside = `${path}.${process.pid}`;
  rmSync(aside, { force: true });
  // 'wx' follows no link that somebody put there.
  writeFileSync(aside, content, { flag: 'wx', mode });
  if (mode !== 0o600) chmodSync(aside, mode); // whatever the umask is
  renameSync(aside, path);
}
