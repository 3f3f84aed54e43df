import { existsSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { System } from '../model.ts';
import { APP, type Sandbox, type Started } from '../sandbox.ts';
import { INSTALL, installedVersion, MODULES, missingPackage } from './installed.ts';

// Watt (wattpm) with the app as its only application, one worker, deployed with the `restart` of its management API, which
// is what `wattpm restart` calls: a new worker thread is started, then the old one is stopped.
//
// Sources: https://docs.platformatic.dev/docs/reference/node/overview (a plain node:http app, its `close` exported),
// https://docs.platformatic.dev/docs/guides/cli-managing (managementApi, restart); gracefulShutdown as in the schema.json
// of @platformatic/runtime.

const CLI = join(MODULES, 'wattpm/bin/cli.js');
const OLDEST = [22, 19];

const configuration = ({ port, drainMs }: Sandbox, metrics: boolean) => ({
  module: '@platformatic/node',
  node: { main: 'server.mjs' },
  runtime: {
    server: { hostname: '127.0.0.1', port },
    workers: 1,
    managementApi: true,
    logger: { level: 'error' },
    ...(metrics ? {} : { metrics: false }),
    gracefulShutdown: { application: drainMs, runtime: drainMs + 500 }
  }
});

/** This Node where it is new enough, else one that npm has installed beside Watt. */
function findNode(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldMajor = 0, oldMinor = 0] = OLDEST;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return process.execPath;
  const installed = join(MODULES, `node-${process.platform}-${process.arch}/bin/node`);
  return existsSync(installed) ? installed : undefined;
}

const node = findNode();

interface Variant {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  /** Whether it counts and times every request, which it does by default. */
  readonly metrics: boolean;
}

const variant = ({ id, name, note, metrics }: Variant): System => ({
  id,
  name,
  note,
  rollbackNote: 'One more restart, of the version before.',
  deathNote: 'The one process is killed, the app with it. An init system starts it again.',
  file: import.meta.url,
  ...(node && { node }),
  version: () => ({ wattpm: installedVersion('wattpm') ?? 'unknown' }),
  missing() {
    const missing = missingPackage('wattpm', CLI);
    return node || missing ? missing : { why: `wattpm wants Node >= ${OLDEST.join('.')}`, install: INSTALL };
  },
  async start(sandbox) {
    symlinkSync(MODULES, sandbox.path('node_modules'));
    sandbox.write('package.json', '{ "name": "app", "type": "module" }');
    sandbox.write('server.mjs', `export { close } from ${JSON.stringify(APP)};\n`);
    sandbox.write('watt.json', JSON.stringify(configuration(sandbox, metrics), null, 2));
    const startRuntime = async () => {
      const env = { ...sandbox.env, TMPDIR: sandbox.folder }; // where its management API has its socket
      const started = sandbox.start(sandbox.node, [CLI, 'start'], { env });
      await sandbox.waitForAnswer(sandbox.port, started);
      return started;
    };
    let runtime = await startRuntime();
    return {
      deploy: () => restart(sandbox, runtime),
      owner: () => runtime.pid,
      async startAgain() {
        runtime = await startRuntime();
      }
    };
  }
});

function restart(sandbox: Sandbox, { pid }: Started): Promise<void> {
  return new Promise((resolve, reject) => {
    const order = request({
      socketPath: sandbox.path(`platformatic/runtimes/${pid}/socket`),
      method: 'POST',
      path: '/api/v1/restart',
      headers: { 'content-type': 'application/json' }
    });
    order.once('error', reject);
    order.once('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`Watt says ${text}`))));
    });
    order.end('{"applications":[]}');
  });
}

export const watt = variant({
  id: 'watt',
  name: 'Watt restart',
  note: 'A worker thread that binds the port anew (SO_REUSEPORT), by default: what waits in its queue is lost with it.',
  metrics: true
});

export const wattLean = variant({
  id: 'watt-lean',
  name: 'Watt restart, no metrics',
  note: 'Tuned for throughput: it does not measure every request.',
  metrics: false
});
