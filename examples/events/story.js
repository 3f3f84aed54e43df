// Five listeners of a ticker, while it is deployed three times and rolled back.
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-events-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const service = await supervise({
  entry: join(import.meta.dirname, 'server.js'),
  name: 'ticker',
  listen: '127.0.0.1:0',
  bake: 0,
  socket: join(folder, 'control.sock')
});

const seen = { events: 0, missing: 0, twice: 0, ended: 0 };
let isOver = false;
/** Listens on one connection, and counts what is missing or comes twice. */
function listen() {
  const listener = { version: '' };
  let last = 0;
  let text = '';
  get(`http://${service.addresses[0]}/`, { headers: { accept: 'text/event-stream' } }, (response) => {
    response.setEncoding('utf8').on('data', (part) => {
      const events = (text + part).split('\n\n');
      text = events.pop();
      for (const event of events) {
        const [, tick, version] = /tick (\d+) of version (\d+)/.exec(event);
        if (Number(tick) > last + 1) seen.missing += 1;
        if (Number(tick) <= last) seen.twice += 1;
        last = Number(tick);
        listener.version = version;
        seen.events += 1;
      }
    });
    response
      .on('error', () => {})
      .on('close', () => {
        if (!isOver) seen.ended += 1;
      });
  });
  return listener;
}
const listeners = Array.from({ length: 5 }, listen);

async function allHear(version) {
  while (!listeners.every((listener) => listener.version === version)) await delay(20);
  console.log(`all hear version ${version}`);
}

await allHear('1');
for (const version of ['2', '3', '4']) {
  const { connections } = await service.reload({ env: { VERSION: version } });
  console.log(`reload: ${JSON.stringify(connections['event-stream'])}`);
  await allHear(version);
}
await service.rollback();
await allHear('3');
isOver = true;
const { events, ...wrong } = seen;
console.log(`events: ${events > 100 ? 'more than 100' : events}; ${JSON.stringify(wrong)}`);
await service.close();
process.exit();
