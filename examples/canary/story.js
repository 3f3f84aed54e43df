// A bad version meets 5 % of the guests and is taken back by itself; the mended one gets all. It takes some seconds.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HandoverError, supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-canary-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const service = await supervise({
  entry: join(import.meta.dirname, 'server.js'),
  name: 'baskets',
  listen: '127.0.0.1:0',
  check: '/basket/3', // the bad version passes it
  bake: 0, // the canary was the trial
  canary: { steps: ['5%', '50%'], hold: '2s', by: 'cookie:session' }, // short, as the story is
  socket: join(folder, 'control.sock')
});

// 200 guests, who share a few connections, as behind a load balancer.
const guests = Array.from({ length: 200 }, () => ({ versions: [] }));
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const answers = {};
let failed = 0;
let isOpen = true;

async function visit(guest, session) {
  await delay(session); // not all at once
  while (isOpen) {
    const things = 1 + Math.floor(Math.random() * 10);
    const response = await ask(`/basket/${things}`, session);
    if (response) {
      const { statusCode, headers } = response;
      const version = headers['x-version'];
      if (guest.versions.at(-1) !== version) guest.versions.push(version);
      const what = `${statusCode} of version ${version}`;
      answers[what] = (answers[what] ?? 0) + 1;
    } else failed += 1;
    await delay(200);
  }
}

function ask(path, session) {
  const [host, port] = service.addresses[0].split(':');
  return new Promise((done) => {
    get({ host, port, path, agent, headers: { cookie: `session=${session}` } }, (response) => {
      response.resume().on('end', () => done(response));
    }).on('error', () => done(null));
  });
}
const visits = guests.map(visit);

/** Waits until this version, and no other, answers everybody. */
async function allHear(version) {
  while (!guests.every(({ versions }) => versions.at(-1) === version)) await delay(20);
  console.log(`all ${guests.length} guests are answered by version ${version}`);
}

try {
  await allHear('1');
  try {
    const entry = join(import.meta.dirname, 'broken.js');
    await service.reload({ entry, env: { VERSION: '2' }, wait: true });
  } catch (error) {
    if (!HandoverError.is(error)) throw error;
    console.log(`version 2: ${error.code}. ${error.why}`);
  }
  await allHear('1');
  const met = guests.filter(({ versions }) => versions.includes('2'));
  console.log(`guests who met version 2: ${met.length}`);
  console.log(
    `guests who went to it and back more than once: ${met.filter(({ versions }) => versions.length > 3).length}`
  );

  const { to } = await service.reload({ env: { VERSION: '3' }, wait: true });
  console.log(`version 3: kept, as generation ${to}`);
  await allHear('3');
} finally {
  isOpen = false;
  await Promise.all(visits);
  agent.destroy();
  await service.close();
}
for (const [what, times] of Object.entries(answers)) console.log(`answers: ${times} x ${what}`);
console.log(`requests without an answer: ${failed}`);
