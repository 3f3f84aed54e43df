import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CAREFUL_APP, type System } from '../model.ts';
import type { Sandbox, Started } from '../sandbox.ts';

// A socket that outlives the app, as a systemd socket unit holds it, and a plain `systemctl restart`: SIGTERM, wait until
// the app is gone, start the next version on the same descriptor 3. What connects meanwhile waits in the kernel's queue.
// No systemd is asked: apps/holder.mjs holds the socket and starts the app with LISTEN_FDS=1 as systemd would.
//
// Sources: https://www.freedesktop.org/software/systemd/man/latest/systemd.socket.html,
// https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html; TimeoutStopSec is the drain budget.

const HOLDER = fileURLToPath(new URL('../apps/holder.mjs', import.meta.url));

interface Variant {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly steadyAs?: string;
  readonly env: Readonly<Record<string, string>>;
}

const variant = ({ env, ...named }: Variant): System => ({
  ...named,
  rollbackNote: 'One more restart, of the version before.',
  deathNote: 'The app is killed, not systemd; it starts the app again, and connections wait in the queue meanwhile.',
  file: import.meta.url,
  missing: () => null,
  async start(sandbox) {
    const holder = startHolder(sandbox, env);
    let pid = await restart(sandbox, holder);
    const startAgain = async () => {
      pid = await restart(sandbox, holder);
    };
    return {
      deploy: startAgain,
      owner: () => pid,
      startAgain: startAgain
    };
  }
});

function startHolder(sandbox: Sandbox, more: Readonly<Record<string, string>>): Started {
  const env = { ...sandbox.env, ...more, PORT: String(sandbox.port) };
  return sandbox.start(sandbox.node, [HOLDER], { env, extra: ['ipc'] });
}

/** Has the app restarted, and returns its process id once it answers. */
async function restart(sandbox: Sandbox, holder: Started): Promise<number> {
  const done = once(holder.child, 'message');
  holder.child.send('restart');
  const [pid] = (await done) as [number];
  await sandbox.waitForAnswer(sandbox.port, holder);
  return pid;
}

export const socket = variant({
  id: 'socket',
  name: 'systemd socket, plain restart',
  note: 'Connections wait in the queue while the old version finishes and the new one starts.',
  env: {}
});

export const socketCareful = variant({
  id: 'socket-careful',
  name: 'systemd socket, plain restart, careful app',
  note: CAREFUL_APP,
  steadyAs: 'socket',
  env: { CAREFUL: '1' }
});
