import { spawnSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../model.ts';
import { freePort, type Sandbox, type Started } from '../sandbox.ts';
import { CANARY_MS, CANARY_NOTE, CANARY_PERCENT } from './canary.ts';
import { parseRefusal, parseSessions } from './haproxy-answers.ts';

// HAProxy in front of the app, with two servers in one backend, switched by its runtime API: the new version starts on
// the server that is in maintenance, is asked until it answers, and set `ready`; the old one is set `drain`, and when it
// has no session left, or the drain budget is spent, `maint`, and is stopped.
//
// Sources: https://docs.haproxy.org/2.6/management.html#9.3-set%20server,
// https://www.haproxy.com/documentation/haproxy-runtime-api/reference/set-server/,
// https://docs.haproxy.org/2.6/configuration.html#4-option%20redispatch

interface Variant {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly rollbackNote: string;
  readonly steadyAs?: string;
  /** Whether the old version runs on, drained, until the next deploy. */
  readonly keepsOld: boolean;
  /** Whether the new version answers a tenth first. */
  readonly isCanary?: boolean;
}

/** @unit percent: the weight of a server that answers as many as it can */
const WHOLE = 100;

/** The whole configuration; the timeouts are those of Debian's. */
const configuration = (sandbox: Sandbox, ports: Ports) => `
global
  stats socket ${sandbox.path('api.sock')} mode 600 level admin
defaults
  mode http
  option redispatch
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend service
  bind 127.0.0.1:${sandbox.port}
  default_backend app
backend app
  server blue 127.0.0.1:${ports.blue} weight ${WHOLE}
  server green 127.0.0.1:${ports.green} weight ${WHOLE} disabled
`;

type Colour = 'blue' | 'green';
type Ports = Readonly<Record<Colour, number>>;

const variant = ({ keepsOld, isCanary = false, ...named }: Variant): System => ({
  ...named,
  deathNote: 'The process is killed, and nobody listens. An init system starts it again; the app serves on behind it.',
  file: import.meta.url,
  version: () => ({ haproxy: /version (\S+)-/.exec(haproxy('-v'))?.[1] ?? 'unknown' }),
  missing: () =>
    haproxy('-v') === '' ? { why: 'HAProxy is not installed', install: 'apt-get install haproxy' } : null,
  async start(sandbox) {
    const ports: Ports = { blue: await freePort(), green: await freePort() };
    const file = sandbox.write('haproxy.cfg', configuration(sandbox, ports));
    const apps: Partial<Record<Colour, Started>> = { blue: await sandbox.startApp(ports.blue) };
    let active: Colour = 'blue';
    const startProxy = async () => {
      const started = sandbox.start('haproxy', ['-db', '-f', file]);
      await sandbox.waitForAnswer(sandbox.port, started);
      return started;
    };
    let proxy = await startProxy();
    const api = sandbox.path('api.sock');
    const tell = async (...commands: string[]) => {
      const line = commands.join('; ');
      const said = parseRefusal(await askApi(api, line));
      if (said !== null) throw new Error(`HAProxy refuses "${line}": ${said}`);
    };

    /** Sends new requests to the other colour. */
    const turn = async () => {
      const old = active;
      active = old === 'blue' ? 'green' : 'blue';
      await tell(`set server app/${active} state ready`, `set server app/${old} state drain`);
      return old;
    };
    /** Sends a tenth of the requests to the other colour, for a while. */
    const tryNext = async (next: Colour) => {
      await tell(
        `set server app/${next} weight ${CANARY_PERCENT}`,
        `set server app/${active} weight ${WHOLE - CANARY_PERCENT}`
      );
      await tell(`set server app/${next} state ready`);
      await delay(CANARY_MS);
      await tell(`set server app/${next} weight ${WHOLE}`, `set server app/${active} weight ${WHOLE}`);
    };
    const stop = async (colour: Colour) => {
      const until = performance.now() + sandbox.drainMs;
      while (performance.now() < until && parseSessions(await askApi(api, 'show stat'), 'app', colour) > 0)
        await delay(20);
      await tell(`set server app/${colour} state maint`);
      const app = apps[colour];
      delete apps[colour];
      if (app) await sandbox.stop(app);
    };
    return {
      async deploy() {
        const next = active === 'blue' ? 'green' : 'blue';
        if (apps[next]) await stop(next);
        apps[next] = await sandbox.startApp(ports[next]);
        if (isCanary) await tryNext(next);
        const old = await turn();
        if (!keepsOld) await stop(old);
      },
      ...(keepsOld && {
        async rollback() {
          await turn();
        }
      }),
      owner: () => proxy.pid,
      async startAgain() {
        proxy = await startProxy();
      }
    };
  }
});

function haproxy(flag: string): string {
  const { stdout, stderr } = spawnSync('haproxy', [flag], { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

/** Sends one line to the runtime API and returns what it says. */
async function askApi(path: string, line: string): Promise<string> {
  const socket = createConnection(path);
  socket.setTimeout(5_000, () => socket.destroy(new Error('the runtime API of HAProxy does not answer')));
  socket.end(`${line}\n`);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

export const haproxyDrained = variant({
  id: 'haproxy',
  name: 'HAProxy, runtime API',
  note: 'Default settings of Debian; the old version is stopped when its last session has ended.',
  rollbackNote: 'The old version was stopped: one more deploy.',
  keepsOld: false
});

export const haproxyKept = variant({
  id: 'haproxy-kept',
  name: 'HAProxy, runtime API, old version kept',
  note: 'Tuned for the rollback: the old version runs on, drained, until the next deploy.',
  rollbackNote: 'Two commands to the runtime API: nothing is started.',
  steadyAs: 'haproxy',
  keepsOld: true
});

export const haproxyCanary = variant({
  id: 'haproxy-canary',
  name: 'HAProxy, canary by weight',
  note: CANARY_NOTE,
  rollbackNote: 'Two commands to the runtime API: nothing is started.',
  steadyAs: 'haproxy',
  keepsOld: true,
  isCanary: true
});
