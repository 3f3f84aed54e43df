// Holds a listening socket for as long as it lives, and starts the app on it as systemd would: descriptor 3, LISTEN_FDS=1.
// At `restart` the app that runs is told SIGTERM, and the next is started when it is gone; the answer is its process id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const { PORT, DRAIN_MS = '5000' } = process.env;
const APP = fileURLToPath(new URL('./app.mjs', import.meta.url));

// Not public: bound but not accepting, as nothing in net's own interface leaves a socket. Nothing is read from it here.
const handle = net._createServerHandle('127.0.0.1', Number(PORT), 4);
if (typeof handle === 'number') throw new Error(`cannot bind port ${PORT}`);
let app = null;

async function stop() {
  if (!app || app.exitCode !== null || app.signalCode !== null) return;
  const gone = once(app, 'exit');
  app.kill('SIGTERM');
  const timer = setTimeout(() => app.kill('SIGKILL'), Number(DRAIN_MS) + 500);
  await gone;
  clearTimeout(timer);
}

process.on('message', async () => {
  await stop();
  const env = { ...process.env, LISTEN_FDS: '1' };
  app = spawn(process.execPath, [APP], { env, stdio: ['ignore', 'inherit', 'inherit', handle.fd] });
  process.send(app.pid);
});

process.on('SIGTERM', () => {
  app?.kill('SIGKILL');
  process.exit();
});
process.on('disconnect', () => {
  app?.kill('SIGKILL');
  process.exit();
});
