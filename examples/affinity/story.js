// Baskets in the memory of two workers outlive a deploy, and old pages find their scripts. It takes some seconds.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-affinity-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const service = await supervise({
  entry: join(import.meta.dirname, 'server.js'),
  name: 'baskets',
  listen: '127.0.0.1:0',
  workers: 2,
  affinity: 'cookie:basket',
  oldAssets: '/assets',
  env: { VERSION: '1' },
  socket: join(folder, 'control.sock')
});

// All share a few connections, as behind a load balancer.
const agent = new Agent({ keepAlive: true, maxSockets: 6 });

function ask(path, cookie) {
  const [host, port] = service.addresses[0].split(':');
  return new Promise((done, fail) => {
    get({ host, port, path, agent, headers: cookie ? { cookie } : {} }, (response) => {
      let body = '';
      response.on('data', (text) => {
        body += text;
      });
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body }));
    }).on('error', fail);
  });
}

/** Puts a thing into each basket, and says which versions did and how many baskets were as they had been left. */
async function fill(guests) {
  const versions = new Set();
  let kept = 0;
  await Promise.all(
    guests.map(async (guest) => {
      const { headers, body, status } = await ask('/basket', guest.cookie);
      guest.cookie ??= headers['set-cookie'][0].split(';', 1)[0];
      guest.things += 1;
      versions.add(headers['x-version']);
      if (status === 200 && Number(body) === guest.things) kept += 1;
    })
  );
  return `${kept} of ${guests.length} baskets as they were left, with version ${[...versions].sort().join(' and ')}`;
}
const createGuests = () => Array.from({ length: 100 }, () => ({ cookie: undefined, things: 0 }));

try {
  const early = createGuests();
  await fill(early);
  console.log(`before the deploy: ${await fill(early)}`);
  await service.reload({ env: { VERSION: '2' } });
  const late = createGuests();
  await fill(late);
  console.log(`after it, who came before: ${await fill(early)}`);
  console.log(`after it, who came since: ${await fill(late)}`);
  const script = async (name) => {
    const { status, headers } = await ask(`/assets/${name}.js`);
    return `${name}.js: ${status}, from version ${headers['x-version']}`;
  };
  for (const name of ['app-1', 'app-2', 'app-0']) console.log(await script(name));
  await service.rollback();
  console.log(`after a rollback: ${await fill([...early, ...late])}`);
} finally {
  agent.destroy();
  await service.close();
}
