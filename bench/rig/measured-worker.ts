import { fork } from 'node:child_process';
import { readAvailableShare } from '../../src/host/measure/usage.ts';
import { Watchdog } from '../../src/host/measure/watchdog.ts';
import { onInternalMessage, sendHandle } from '../../src/internals/ipc.ts';
import { bindHandle } from '../../src/internals/net.ts';
import type { ToSupervisor } from '../../src/protocol/messages.ts';
import { parse, seal } from '../../src/protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/versions.ts';
import { SETTINGS_VARIABLE, type WorkerSettings } from '../../src/protocol/worker-settings.ts';

// A supervisor reduced to what measuring takes, with one worker. Its arguments: the preload of the build that is
// measured, the app, and whether the worker is measured. It leaves, and its worker with it, when its starter is gone.

const [, , preload = '', app = '', measures] = process.argv;
const KEY = 'bench';

const handle = bindHandle({ address: '127.0.0.1', port: 0, ipv6Only: false });
if (typeof handle === 'number') throw new Error(`the system gave no port: ${handle}`);
const out: { port?: number } = {};
handle.getsockname?.(out);
const port = out.port ?? 0;

const settings: WorkerSettings = {
  version: PROTOCOL_VERSION,
  worker: '1.1',
  generation: 1,
  lent: [{ key: KEY, address: { address: '127.0.0.1', family: 'IPv4', port }, named: true, asked: null }],
  backlog: 4096,
  budgetMs: 2_000,
  upgradeSpreadMs: 30_000,
  websockets: 'close',
  eventStreams: 'move',
  rampMs: 0,
  drainMs: 1_000,
  orphanMs: 0,
  measures: measures === 'measured',
  remembers: false,
  rehearses: false
};
const worker = fork(app, [], {
  env: { ...process.env, PORT: String(port), [SETTINGS_VARIABLE]: JSON.stringify(settings) },
  execArgv: ['--require', preload],
  stdio: ['ignore', 'ignore', 'inherit', 'ipc', 2] as unknown as 'pipe'[]
});
const watchdog = new Watchdog(
  // Everything that can be watched is.
  { hangMs: 15_000, keepMs: 60_000, maxMemoryBytes: 2 ** 40, standbyShare: 1e-6 },
  {
    now: () => performance.now(),
    readAvailable: readAvailableShare,
    onMeasured: () => {},
    readRoom: () => null,
    onGrowth: () => {},
    onHung: () => {},
    onHeavy: () => {},
    onLowMemory: () => {}
  }
);

onInternalMessage(worker, (raw) => {
  const parsed = parse<ToSupervisor>(raw);
  if (!parsed || !('message' in parsed)) return;
  const { message } = parsed;
  if (message.type === 'listening') sendHandle(worker, seal({ type: 'accept', key: KEY }), handle, () => {});
  if (message.type === 'accepting') {
    if (settings.measures) watch();
    process.send?.({ port, pid: worker.pid });
  }
  if (message.type === 'sampled') watchdog.take('1.1', message);
});

function watch(): void {
  watchdog.watch({
    id: '1.1',
    generation: 1,
    process: { send: (message) => sendHandle(worker, seal(message), undefined, () => {}) }
  });
  watchdog.begin();
}

worker.once('exit', () => process.exit());
const leave = () => worker.kill('SIGKILL');
process.once('disconnect', leave);
process.once('SIGTERM', leave);
