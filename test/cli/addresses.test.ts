import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ask, Client } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { Home, type Outcome } from './run.ts';

/** What every server here answers: its name, the version, and how many connections it has had. */
const SERVE = `
const { createServer } = require('node:http');
const serve = (name, ...where) => {
  let opened = 0;
  const server = createServer((request, response) => response.end(name + ' ' + process.env.V + ' ' + opened));
  server.on('connection', () => (opened += 1)).on('error', (error) => console.error(error)).listen(...where);
  return server;
};
`;

/** A service of several servers, and the ports that they may ask for. */
async function prepare(t: TestContext, app: string) {
  const home = new Home(t);
  home.write('server.js', `${SERVE}${app}`);
  const [shop, metrics, third] = [await freePort(), await freePort(), await freePort()];
  const env = { V: '1', METRICS: String(metrics), THIRD: String(third) };
  const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    home.start(['run', '--socket', home.socket('shop'), ...args, 'server.js'], { env: { ...env, ...more } });
  const order = (...words: string[]) => home.json(...words, '--socket', home.socket('shop'));
  return { home, shop, metrics, third, run, order };
}

/** What a port answers: the name and the version, or the system's name for why nothing does. */
async function look(port: number): Promise<string> {
  try {
    const { body } = await ask({ host: '127.0.0.1', port });
    return body.split(' ').slice(0, 2).join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

const FIRST = `serve('metrics', Number(process.env.METRICS), '127.0.0.1');\n`;
const LATER = `setTimeout(() => serve('shop', process.env.PORT), 300);`;

test('a server that listens before the public one keeps its own port, and both are handed over', async (t) => {
  const { shop, metrics, run, order } = await prepare(t, FIRST + LATER);
  await run(['--listen', `127.0.0.1:${shop}`]).says(/"event":"started"/);
  for (const version of ['1', '2', '3']) {
    if (version !== '1') assert.equal((await order('reload', '--env', `V=${version}`)).code, 0);
    assert.deepEqual([await look(shop), await look(metrics)], [`shop ${version}`, `metrics ${version}`]);
  }
});

test('an app that waits for its first server before it opens the public one is not kept waiting', async (t) => {
  const { shop, metrics, run } = await prepare(
    t,
    `serve('metrics', Number(process.env.METRICS)).on('listening', () => serve('shop', process.env.PORT));`
  );
  await run(['--listen', `127.0.0.1:${shop}`]).says(/"event":"started"/);
  assert.deepEqual([await look(shop), await look(metrics)], ['shop 1', 'metrics 1']);
});

const TWO = `serve('shop', Number(process.env.THIRD)); serve('metrics', Number(process.env.METRICS));`;

test('with several servers and none that asks, the answer names them and the way out, which works', async (t) => {
  const { shop, metrics, third, run, order } = await prepare(t, TWO);
  const refused: Outcome = await run(['--listen', `127.0.0.1:${shop}`]).ended();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, new RegExp(`listens on \\S*${third} and \\S*${metrics}, and none of these`));
  assert.match(refused.stderr, new RegExp(`--listen ${shop}=\\d+`));

  await run(['--listen', `127.0.0.1:${shop}=${third}`]).says(/"event":"started"/);
  assert.equal((await order('reload', '--env', 'V=2')).code, 0);
  assert.deepEqual([await look(shop), await look(metrics)], ['shop 2', 'metrics 2']);
  assert.equal(await look(third), 'ECONNREFUSED', 'the port that was asked for is not bound besides');
});

test('the only server of an app gets the address, whatever port it asks for; a server on a path does not count', async (t) => {
  const { home, shop, run, order } = await prepare(
    t,
    `serve('tool', process.cwd() + '/tool-' + process.pid + '.sock'); serve('shop', Number(process.env.THIRD));`
  );
  await run(['--listen', `127.0.0.1:${shop}`]).says(/"event":"started"/);
  assert.equal(await look(shop), 'shop 1');
  assert.equal((await order('reload', '--env', 'V=2')).code, 0);
  assert.equal(await look(shop), 'shop 2');
  const { listeners } = await home.status('--socket', home.socket('shop'));
  assert.equal(listeners[0]?.address, `127.0.0.1:${shop}`);
});

test('a version whose only server asks for another port than before answers where it should, and the log names both', async (t) => {
  const { shop, third, run, order } = await prepare(
    t,
    `serve('shop', process.env.V === '1' ? process.env.PORT : process.env.THIRD);`
  );
  const running = run(['--listen', `127.0.0.1:${shop}`, '--workers', '2']);
  await running.says(/"event":"started"/);
  assert.doesNotMatch(running.stderr(), /"event":"assigned"/);
  for (const version of ['2', '3']) {
    assert.equal((await order('reload', '--env', `V=${version}`)).code, 0);
    assert.equal(await look(shop), `shop ${version}`);
  }
  const said = running.stderr().match(/.*"event":"assigned".*/g) ?? [];
  assert.equal(said.length, 1, said.join('\n'));
  assert.match(said[0] ?? '', new RegExp(`"level":"warn".* asked for ${third}, and answers on 127.0.0.1:${shop} of`));
});

for (const option of ['--require ./agent.cjs', '--import ./agent.mjs']) {
  test(`an agent that is loaded before the app serves in the workers only, and is handed over (${option})`, async (t) => {
    const { home, shop, metrics, run, order } = await prepare(t, `serve('shop', process.env.PORT);`);
    home.write('agent.cjs', `${SERVE}serve('agent', Number(process.env.METRICS), '127.0.0.1');`);
    home.write('agent.mjs', `import './agent.cjs';`);
    const running = run(['--listen', `127.0.0.1:${shop}`], { NODE_OPTIONS: option });
    await running.says(/"event":"started"/);
    for (const version of ['1', '2']) {
      if (version !== '1') assert.equal((await order('reload', '--env', `V=${version}`)).code, 0);
      assert.deepEqual([await look(shop), await look(metrics)], [`shop ${version}`, `agent ${version}`]);
    }
  });
}

test('an address that a version gives up is closed with the old one, said, and back after a rollback', async (t) => {
  const { shop, metrics, third, run, order } = await prepare(
    t,
    `serve('shop', process.env.PORT); serve('metrics', Number(process.env.V === '1' ? process.env.METRICS : process.env.THIRD));`
  );
  const running = run(['--listen', `127.0.0.1:${shop}`]);
  await running.says(/"event":"started"/);
  const { code, answer } = await order('reload', '--env', 'V=2');
  assert.deepEqual([code, answer.closed], [0, [`[::]:${metrics}`]], JSON.stringify(answer));
  assert.match(running.stderr(), /"event":"closed","generation":2,"addresses":\[/);
  assert.deepEqual([await look(shop), await look(metrics), await look(third)], ['shop 2', 'ECONNREFUSED', 'metrics 2']);

  const back = await order('rollback');
  assert.deepEqual([back.code, back.answer.closed], [0, [`[::]:${third}`]], JSON.stringify(back.answer));
  assert.deepEqual([await look(shop), await look(metrics), await look(third)], ['shop 1', 'metrics 1', 'ECONNREFUSED']);
});

test('a client that kept a connection to an address that is given up is answered, and not kept waiting', async (t) => {
  const { shop, metrics, run, order } = await prepare(
    t,
    `if (process.env.V === '1') serve('metrics', Number(process.env.METRICS)).keepAliveTimeout = 60_000;
    serve('shop', process.env.PORT);`
  );
  const running = run(['--listen', `127.0.0.1:${shop}`]);
  await running.says(/"event":"started"/);
  const client = new Client({ host: '127.0.0.1', port: metrics });
  t.after(() => client.close());
  await client.get();
  const { code, answer } = await order('reload', '--env', 'V=2');
  assert.deepEqual([code, answer.closed], [0, [`[::]:${metrics}`]], JSON.stringify(answer));
  const { body, headers } = await client.get();
  assert.deepEqual([body.slice(0, 9), headers.connection, client.sockets], ['metrics 1', 'close', 1]);
  assert.equal(await look(metrics), 'ECONNREFUSED');
});

test('an address that was given up is closed again after the standby has covered for a lost worker', async (t) => {
  const { shop, metrics, run, order } = await prepare(
    t,
    `if (process.env.V === '1') serve('metrics', Number(process.env.METRICS)); serve('shop', process.env.PORT);`
  );
  const running = run(['--listen', `127.0.0.1:${shop}`]);
  await running.says(/"event":"started"/);
  await order('reload', '--env', 'V=2');
  const { answer } = await order('status');
  const [{ pid }] = (answer as unknown as { active: { workers: [{ pid: number }] } }).active.workers;
  process.kill(pid, 'SIGKILL');
  await running.says(/"event":"cover-over"/);
  assert.deepEqual([await look(shop), await look(metrics)], ['shop 2', 'ECONNREFUSED']);
  assert.equal((await order('rollback')).code, 0);
  assert.deepEqual([await look(shop), await look(metrics)], ['shop 1', 'metrics 1']);
});

test('the question whether somebody answers is not seen by the app', async (t) => {
  const { shop, run, order } = await prepare(t, `serve('shop', process.env.PORT);`);
  await run(['--listen', `127.0.0.1:${shop}`]).says(/"event":"started"/);
  assert.equal((await order('reload', '--env', 'V=2')).code, 0);
  assert.equal((await ask({ host: '127.0.0.1', port: shop })).body, 'shop 2 1');
  assert.equal((await order('rollback')).code, 0);
  assert.equal((await ask({ host: '127.0.0.1', port: shop })).body, 'shop 1 1');
});
