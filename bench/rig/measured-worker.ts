import { readAvailableShare } from '../../src/host/measure/usage.ts';
import { Watchdog } from '../../src/host/measure/watchdog.ts';
import { startOneWorker } from './one-worker.ts';

// A supervisor reduced to what measuring takes, with one worker. Its arguments: the preload of the build that is
// measured, the app, and whether the worker is measured. It leaves, and its worker with it, when its starter is gone.

const [, , preload = '', app = '', measured] = process.argv;
const measures = measured === 'measured';

const worker = startOneWorker({ preload, app, measures }, (message) => {
  if (message.type === 'listening') worker.accept();
  if (message.type === 'accepting') {
    if (measures) watch();
    process.send?.({ port: worker.port, pid: worker.child.pid });
  }
  if (message.type === 'sampled') watchdog.take('1.1', message);
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

function watch(): void {
  watchdog.watch({
    id: '1.1',
    generation: 1,
    process: { send: (message) => worker.send(message) }
  });
  watchdog.begin();
}

worker.child.once('exit', () => process.exit());
const leave = () => worker.child.kill('SIGKILL');
process.once('disconnect', leave);
process.once('SIGTERM', leave);
