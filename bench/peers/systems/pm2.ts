import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CAREFUL_APP, type System } from '../model.ts';
import { APP, HERE, type Sandbox } from '../sandbox.ts';
import { installedVersion, MODULES, missingPackage } from './installed.ts';

// PM2 in cluster mode, one instance, deployed with `reload`.
//
// As its documentation advises: the app says `process.send('ready')` (wait_ready), has SIGINT close its server, and gets
// the same drain budget as everybody (kill_timeout). By default: none of this is configured, and SIGKILL comes 1.6 s
// after SIGINT.
//
// Sources: https://pm2.keymetrics.io/docs/usage/signals-clean-restart/, https://pm2.keymetrics.io/docs/usage/cluster-mode/,
// https://github.com/Unitech/pm2/issues/2573 (a maintainer on what the app has to do at SIGINT),
// https://pm2.keymetrics.io/docs/usage/pm2-api/ (the order comes over the API, so that no start of a command counts).

const BIN = join(MODULES, 'pm2/bin/pm2');
const CLIENT = join(HERE, 'apps/pm2-client.mjs');

interface Variant {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly steadyAs?: string;
  readonly env?: Readonly<Record<string, string>>;
  settings(sandbox: Sandbox): object;
}

const asAdvised = (sandbox: Sandbox) => ({
  wait_ready: true,
  listen_timeout: 10_000,
  kill_timeout: sandbox.drainMs + 500
});

const variant = ({ env = {}, settings, ...named }: Variant): System => ({
  ...named,
  rollbackNote: 'One more reload, of the version before.',
  deathNote: 'The daemon is killed: its workers exit with it. An init system runs `pm2 resurrect` again.',
  file: import.meta.url,
  version: () => ({ pm2: installedVersion('pm2') ?? 'unknown' }),
  missing: () => missingPackage('pm2', BIN),
  async start(sandbox) {
    const home = sandbox.path('pm2');
    const app = {
      name: 'app',
      script: APP,
      exec_mode: 'cluster',
      instances: 1,
      env: { ...sandbox.env, ...env, PORT: String(sandbox.port) },
      ...settings(sandbox)
    };
    const ecosystem = sandbox.write('ecosystem.json', JSON.stringify({ apps: [app] }));
    const pm2 = (...args: string[]) => sandbox.run(sandbox.node, [BIN, ...args], { env: { PM2_HOME: home } });
    sandbox.atEnd(async () => {
      await pm2('kill');
    });
    await pm2('start', ecosystem);
    await pm2('save');
    await sandbox.waitForAnswer(sandbox.port);
    const daemon = () => Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
    const startClient = async () => {
      const { child, output } = sandbox.start(sandbox.node, [CLIENT], {
        env: { PM2_HOME: home },
        extra: ['ipc'],
        tool: true
      });
      const [ready] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
      if (ready !== 'ready') throw new Error(`no connection to the daemon of pm2: ${output()}`);
      return child;
    };
    const client = await startClient();
    return {
      async deploy() {
        const done = once(client, 'message');
        client.send('reload');
        const [failure] = await done;
        if (failure !== 'done') throw new Error(failure);
      },
      daemons: () => [daemon()],
      owner: daemon,
      async startAgain() {
        await pm2('resurrect');
        await sandbox.waitForAnswer(sandbox.port);
      }
    };
  }
});

export const pm2 = variant({
  id: 'pm2',
  name: 'PM2 reload',
  note: 'As its documentation advises. Fresh connections pass through its daemon.',
  settings: asAdvised
});

export const pm2Default = variant({
  id: 'pm2-default',
  name: 'PM2 reload, default settings',
  note: 'SIGKILL comes 1.6 s after SIGINT.',
  steadyAs: 'pm2',
  settings: () => ({})
});

export const pm2Careful = variant({
  id: 'pm2-careful',
  name: 'PM2 reload, careful app',
  note: CAREFUL_APP,
  steadyAs: 'pm2',
  env: { CAREFUL: '1' },
  settings: asAdvised
});
