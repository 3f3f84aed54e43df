// Three machines behind HAProxy: one is drained and comes back, all are deployed in place, one is stopped. It takes some seconds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-haproxy-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

// The ports of the config are taken on many machines: the story has others.
const [front, app, agents] = await Promise.all([freePort(), freePort(), freePort()]);
const config = join(folder, 'haproxy.cfg');
const written = readFileSync(join(import.meta.dirname, 'haproxy.cfg'), 'utf8');
writeFileSync(
  config,
  written.replace(':8080', `:${front}`).replaceAll(':3000', `:${app}`).replace('9101', `${agents}`)
);

const machines = [];
for (const [index, machine] of ['one', 'two', 'three'].entries()) {
  const options = {
    entry: join(import.meta.dirname, 'server.js'),
    name: machine,
    listen: `127.0.0.${index + 1}:${app}`,
    agentCheck: `127.0.0.${index + 1}:${agents}`,
    strategy: 'in-place', // as where two versions have no room: its only worker is away for a moment
    drainBefore: '2s', // four times what HAProxy takes to ask
    bake: 0,
    env: { MACHINE: machine, VERSION: '1' },
    socket: join(folder, `${machine}.sock`),
    signals: false
  };
  machines.push(await supervise(options));
}
const [one, two, three] = machines;

const haproxy = spawn('haproxy', ['-db', '-f', config], {
  env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  stdio: ['ignore', 'ignore', 'inherit']
});
const gone = once(haproxy, 'exit');

/** The last answers, as `machine version`, and what came to nothing. */
let last = [];
let answered = 0;
const failures = [];
let isOpen = true;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

function ask(method) {
  return new Promise((done) => {
    const sent = request({ host: '127.0.0.1', port: front, method, agent }, (response) => {
      const { 'x-machine': machine, 'x-version': version } = response.headers;
      response.resume().once('end', () => done({ status: response.statusCode, from: `${machine} ${version}` }));
    });
    sent.on('error', (error) => done({ status: error.code, from: '' }));
    sent.end(method === 'POST' ? 'x'.repeat(10_000) : undefined);
  });
}

async function visit(number) {
  for (let turn = number; isOpen; turn += 1) {
    const { status, from } = await ask(turn % 3 === 0 ? 'POST' : 'GET');
    if (status === 200) {
      answered += 1;
      last = [...last.slice(-99), from];
    } else failures.push(status);
  }
}

/** Waits until the last 100 answers came from these, and from all of them. */
async function hear(...wanted) {
  for (last = []; ; await delay(20)) {
    const heard = [...new Set(last)].sort();
    if (last.length === 100 && heard.join() === [...wanted].sort().join()) return heard.join(', ');
  }
}

let visits = [];
try {
  while ((await ask('GET')).status !== 200) await delay(50); // HAProxy starts
  visits = Array.from({ length: 16 }, (_, number) => visit(number));
  console.log(`answers come from: ${await hear('one 1', 'two 1', 'three 1')}`);

  await two.drain({ closeIdle: true });
  console.log(`machine two is drained: ${await hear('one 1', 'three 1')}`);
  await two.undrain();
  console.log(`and back: ${await hear('one 1', 'two 1', 'three 1')}`);

  for (const machine of machines) await machine.reload({ env: { VERSION: '2' } });
  console.log(`deployed one after the other: ${await hear('one 2', 'two 2', 'three 2')}`);

  await three.close();
  console.log(`machine three is stopped: ${await hear('one 2', 'two 2')}`);
} finally {
  isOpen = false;
  await Promise.all(visits);
  agent.destroy();
  haproxy.kill('SIGTERM');
  await gone;
  await Promise.all([one, two, three].map((machine) => machine.close()));
}
console.log(
  `requests: more than 1000: ${answered > 1000}; failed: ${failures.length}${failures.length > 0 ? ` (${[...new Set(failures)]})` : ''}`
);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
