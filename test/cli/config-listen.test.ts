import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { Home } from './run.ts';

const APP = `
const { createServer } = require('node:http');
const answer = JSON.stringify({ port: process.env.PORT, V: process.env.V });
createServer((request, response) => response.setHeader('connection', 'close').end(answer)).listen(process.env.PORT);
`;

const FIXED = (port: number) => `
const { createServer } = require('node:http');
createServer((request, response) => response.setHeader('connection', 'close').end('{}')).listen(${port});
`;

async function start(t: TestContext, config: object): Promise<Home> {
  const home = new Home(t);
  home.write('server.js', APP);
  say(home, config);
  const running = home.start(['run']);
  await running.says(/"event":"started"/);
  return home;
}

function say(home: Home, config: object): void {
  home.write('handover.config.json', JSON.stringify({ entry: 'server.js', bake: 0, ...config }));
}

const at = (port: number) => `127.0.0.1:${port}`;

/** What the app says there, or the system's name for why it cannot be asked. */
async function ask(port: number): Promise<{ port?: string; V?: string } | string> {
  try {
    return (await (await fetch(`http://${at(port)}`)).json()) as { port: string };
  } catch (error) {
    return ((error as Error).cause as NodeJS.ErrnoException).code ?? String(error);
  }
}

async function reload(home: Home) {
  const { code, answer } = await home.json('reload');
  assert.equal(code, 0, JSON.stringify(answer));
  return answer as { config?: { changed: string[] }; closed?: string[] };
}

test('an address that the config names anew is served by the new version, and one that is gone is closed with the old', async (t) => {
  const [one, two] = [await freePort(), await freePort()];
  const home = await start(t, { listen: [at(one)] });
  assert.deepEqual(await ask(one), { port: String(one) });

  say(home, { listen: [at(one), at(two)] });
  assert.deepEqual((await reload(home)).config?.changed, ['listen']);
  assert.deepEqual([await ask(one), await ask(two)], [{ port: String(one) }, { port: String(one) }]);

  say(home, { listen: [at(two)] });
  const { closed } = await reload(home);
  assert.deepEqual(closed, [at(one)]);
  assert.deepEqual([await ask(one), await ask(two)], ['ECONNREFUSED', { port: String(two) }]);
  const { listeners } = await home.status();
  assert.deepEqual(listeners, [{ address: at(two) }]);

  const back = await home.handover('rollback');
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual([await ask(one), await ask(two)], [{ port: String(one) }, { port: String(one) }]);
});

test('another address in the place of the one before: a rollback closes it and opens that again, also from the files', async (t) => {
  for (const keepWarm of ['10m', 0]) {
    const [one, two] = [await freePort(), await freePort()];
    const home = await start(t, { listen: at(one), keepWarm, name: `shop-${keepWarm}` });
    say(home, { listen: at(two), keepWarm, name: `shop-${keepWarm}` });
    await reload(home);
    assert.deepEqual([await ask(one), await ask(two)], ['ECONNREFUSED', { port: String(two) }]);

    const back = await home.handover('rollback', ...(keepWarm === 0 ? ['--to', '1'] : []));
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual([await ask(one), await ask(two)], [{ port: String(one) }, 'ECONNREFUSED']);
  }
});

test('a port that the system chose stays the same', async (t) => {
  const home = await start(t, { listen: ['127.0.0.1:0', '127.0.0.1:0'] });
  const { listeners } = await home.status();
  say(home, { listen: ['127.0.0.1:0', '127.0.0.1:0'], env: { V: '2' } });
  assert.deepEqual((await reload(home)).config?.changed, ['env V']);
  assert.deepEqual((await home.status()).listeners, listeners);
});

test('an address that cannot be had refuses the reload before anything is started', async (t) => {
  const [one, two] = [await freePort(), await freePort()];
  const home = await start(t, { listen: at(one) });
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port: taken } = other.address() as { port: number };
  say(home, { listen: [at(two), at(taken)] });
  const { code, answer } = await home.json('reload');
  assert.deepEqual([code, answer.code, answer.active], [1, 'HANDOVER_ERR_LISTEN_IN_USE', 1]);
  assert.match(String(answer.fix), /nothing was started, generation 1 is still active$/);
  const { listeners, candidate, history } = await home.status();
  assert.deepEqual([listeners, candidate, history.length], [[{ address: at(one) }], null, 1]);
  assert.deepEqual(await ask(one), { port: String(one) });
});

test('an address that was bound for a version that fails is let go of', async (t) => {
  const [one, two] = [await freePort(), await freePort()];
  const home = await start(t, { listen: at(one) });
  home.write('server.js', 'throw new Error("no")');
  say(home, { listen: [at(one), at(two)] });
  const { code } = await home.json('reload');
  assert.equal(code, 1);
  await until(async () => (await home.status()).listeners.length === 1, 'the address to be let go of');
  assert.deepEqual([await ask(one), await ask(two)], [{ port: String(one) }, 'ECONNREFUSED']);

  home.write('server.js', APP);
  await reload(home);
  assert.deepEqual(await ask(two), { port: String(one) });
});

test('which server gets an address may change, and so may the port that is asked for', async (t) => {
  const [one, inner, other] = [await freePort(), await freePort(), await freePort()];
  const home = new Home(t);
  home.write('server.js', FIXED(inner));
  say(home, { listen: `${at(one)}=${inner}` });
  await home.start(['run']).says(/"event":"started"/);
  assert.deepEqual(await ask(one), {});

  home.write('server.js', FIXED(other));
  say(home, { listen: `${at(one)}=${other}` });
  await reload(home);
  assert.deepEqual([await ask(one), await ask(other), await ask(inner)], [{}, 'ECONNREFUSED', 'ECONNREFUSED']);
});

test('a unix socket comes beside a port', async (t) => {
  const one = await freePort();
  const home = await start(t, { listen: at(one) });
  const path = join(home.folder, 'shop.sock');
  say(home, { listen: [at(one), `unix:${path}`] });
  await reload(home);
  assert.deepEqual((await home.status()).listeners, [{ address: at(one) }, { address: `unix:${path}` }]);
  say(home, { listen: at(one) });
  assert.deepEqual((await reload(home)).closed, [`unix:${path}`]);
});

test('--listen of `run` stands above the config', async (t) => {
  const [one, two] = [await freePort(), await freePort()];
  const home = new Home(t);
  home.write('server.js', APP);
  say(home, { listen: at(one) });
  await home.start(['run', '--listen', at(two)]).says(/"event":"started"/);
  say(home, { listen: [at(one), at(two)] });
  const { config } = await reload(home);
  assert.deepEqual(config, { changed: [], overridden: ['listen'], needsRestart: [] });
  assert.deepEqual([await ask(one), await ask(two)], ['ECONNREFUSED', { port: String(two) }]);
});
