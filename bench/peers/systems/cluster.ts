import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CAREFUL_APP, type System } from '../model.ts';
import type { Sandbox, Started } from '../sandbox.ts';

// Hand-rolled node:cluster, one worker: the primary forks a worker of the new version, waits until it listens, and sends
// SIGTERM to the old one, which does `server.close()`; SIGKILL when the drain budget is spent. The primary is
// apps/cluster.mjs.
//
// Source: https://nodejs.org/api/cluster.html#how-it-works, https://nodejs.org/api/http.html#serverclosecallback

const PRIMARY = fileURLToPath(new URL('../apps/cluster.mjs', import.meta.url));

interface Variant {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly steadyAs?: string;
  readonly env: Readonly<Record<string, string>>;
}

const variant = ({ env, ...named }: Variant): System => ({
  ...named,
  rollbackNote: 'One more deploy, of the version before.',
  deathNote: 'The primary is killed: its workers exit with it. An init system starts it again.',
  file: import.meta.url,
  missing: () => null,
  async start(sandbox) {
    let primary = await startPrimary(sandbox, env);
    return {
      async deploy() {
        const done = once(primary.child, 'message');
        primary.child.send('deploy');
        await done;
      },
      owner: () => primary.pid,
      async startAgain() {
        primary = await startPrimary(sandbox, env);
      }
    };
  }
});

async function startPrimary(sandbox: Sandbox, more: Readonly<Record<string, string>>): Promise<Started> {
  const env = { ...sandbox.env, ...more, PORT: String(sandbox.port) };
  const primary = sandbox.start(sandbox.node, [PRIMARY], { env, extra: ['ipc'] });
  await sandbox.waitForAnswer(sandbox.port, primary);
  return primary;
}

export const cluster = variant({
  id: 'cluster',
  name: 'node:cluster by hand',
  note: 'The new worker listens before the old one is told to go; its kept-alive connections are closed under the clients.',
  env: {}
});

export const clusterCareful = variant({
  id: 'cluster-careful',
  name: 'node:cluster by hand, careful app',
  note: CAREFUL_APP,
  steadyAs: 'cluster',
  env: { CAREFUL: '1' }
});
