// A primary as one writes it by hand: at `deploy`, one more worker; when that listens, SIGTERM to the one before.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const { DRAIN_MS = '5000' } = process.env;

cluster.setupPrimary({ exec: fileURLToPath(new URL('./app.mjs', import.meta.url)) });
let worker = cluster.fork();

process.on('message', async () => {
  const old = worker;
  worker = cluster.fork();
  await once(worker, 'listening');
  const timer = setTimeout(() => old.process.kill('SIGKILL'), Number(DRAIN_MS) + 500);
  old.once('exit', () => clearTimeout(timer));
  old.process.kill('SIGTERM');
  process.send('deployed');
});

process.on('SIGTERM', () => {
  for (const each of Object.values(cluster.workers)) each.process.kill('SIGTERM');
  setTimeout(() => process.exit(), 500);
});
process.on('disconnect', () => process.exit());
