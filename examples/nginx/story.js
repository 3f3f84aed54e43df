// Three machines behind nginx, which learns from requests alone: deploys, a stop, and a worker that is killed. It takes some seconds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-nginx-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

// The ports of the config are taken on many machines: the story has others. The rest is what Debian's nginx.conf is around it.
const [front, app] = await Promise.all([freePort(), freePort()]);
const written = readFileSync(join(import.meta.dirname, 'shop.conf'), 'utf8');
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const places = temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
const shop = written.replace(':8080', `:${front}`).replaceAll(':3000', `:${app}`);
mkdirSync(join(folder, 'logs'));
writeFileSync(
  join(folder, 'nginx.conf'),
  `daemon off; pid ${folder}/pid; events {} http { ${places} access_log off; ${shop} }`
);

function start(index, version) {
  const machine = ['one', 'two', 'three'][index];
  return supervise({
    entry: join(import.meta.dirname, 'server.js'),
    name: machine,
    listen: `127.0.0.${index + 1}:${app}`,
    bake: 0,
    env: { MACHINE: machine, VERSION: version },
    socket: join(folder, `${machine}.sock`),
    signals: false
  });
}
const machines = [];
for (const index of [0, 1, 2]) machines.push(await start(index, '1'));

const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
  env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  stdio: ['ignore', 'ignore', 'inherit']
});
const gone = once(nginx, 'exit');

let last = [];
let answered = 0;
let failed = { GET: 0, POST: 0 };
let isOpen = true;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

function ask(method) {
  return new Promise((done) => {
    const sent = request({ host: '127.0.0.1', port: front, method, agent }, (response) => {
      const { 'x-machine': machine, 'x-version': version } = response.headers;
      response.resume().once('end', () => done({ isDone: response.statusCode === 200, from: `${machine} ${version}` }));
    });
    sent.on('error', () => done({ isDone: false, from: '' }));
    sent.end(method === 'POST' ? 'x'.repeat(10_000) : undefined);
  });
}

async function visit(number) {
  for (let turn = number; isOpen; turn += 1) {
    const method = turn % 3 === 0 ? 'POST' : 'GET';
    const { isDone, from } = await ask(method);
    if (isDone) {
      answered += 1;
      last = [...last.slice(-99), from];
    } else failed[method] += 1;
  }
}

/** Waits until the last 100 answers came from these, and from all of them. */
async function hear(...wanted) {
  for (last = []; ; await delay(20)) {
    const heard = [...new Set(last)].sort();
    if (last.length === 100 && heard.join() === [...wanted].sort().join()) return heard.join(', ');
  }
}

/** What has failed since it was asked last. */
function countFailed() {
  const { GET, POST } = failed;
  failed = { GET: 0, POST: 0 };
  return { GET, POST };
}

let visits = [];
try {
  while (!(await ask('GET')).isDone) await delay(50); // nginx starts
  visits = Array.from({ length: 16 }, (_, number) => visit(number));
  console.log(`answers come from: ${await hear('one 1', 'two 1', 'three 1')}`);

  // Each hands over on its own address: nginx has nothing to learn.
  for (const machine of machines) await machine.reload({ env: { VERSION: '2' } });
  console.log(`deployed one after the other: ${await hear('one 2', 'two 2', 'three 2')}`);
  console.log(`failed in the deploys: ${JSON.stringify(countFailed())}`);

  // Before it stops, its answers end nginx's connections: none is kept that could close under a request.
  await machines[2].drain({ closeIdle: true });
  await hear('one 2', 'two 2', 'three 2');
  await machines[2].close();
  console.log(`machine three is stopped: ${await hear('one 2', 'two 2')}`);
  machines[2] = await start(2, '2');
  console.log(`and back: ${await hear('one 2', 'two 2', 'three 2')}`);
  console.log(`GETs that failed in the stop: ${countFailed().GET}`);

  // What nobody announces: nginx asks another machine again what may be asked twice. A POST may not.
  const [worker] = (await machines[1].status()).active.workers;
  process.kill(worker.pid, 'SIGKILL');
  await hear('one 2', 'two 2', 'three 2');
  const { GET, POST } = countFailed();
  console.log(`a worker was killed; GETs that failed: ${GET}; POSTs, at most those in flight: ${POST <= 16}`);
} finally {
  isOpen = false;
  await Promise.all(visits);
  agent.destroy();
  nginx.kill('SIGTERM');
  await gone;
  for (const machine of machines) await machine.close();
}
console.log(`requests: more than 1000: ${answered > 1000}`);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
