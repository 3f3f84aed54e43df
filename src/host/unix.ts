import { connect } from 'node:net';
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
