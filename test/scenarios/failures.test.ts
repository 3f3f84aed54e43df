import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HandoverError } from '../../src/errors.ts';
import { Talk } from './raw.ts';
import { LOAD_APP, type TestService as Service, TestService, waitFor, withService } from './service.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/apps/${name}`, import.meta.url));

let folder = '';
before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'handover-failures-')));
});
after(() => rmSync(folder, { recursive: true, force: true }));

// However long a candidate is waited for, an idle connection is not ended by the app.
process.env.KEEP_ALIVE_MS = '120000';

/** Reloads a service with something that must fail, and shows that generation 1 was never touched. */
async function failsUntouched(service: Service, entry: string): Promise<HandoverError> {
  const kept = await Talk.open(service.port);
  kept.get('/answer');
  await kept.answer();
  const error = await service.client.reload({ entry }).then(
    () => assert.fail('the reload should have failed'),
    (reason: unknown) => reason
  );
  assert.ok(HandoverError.is(error), String(error));
  assert.equal(error.exitCode, 1);
  assert.equal(error.active, 1);
  const { active, candidate, phase, history } = await service.client.status();
  assert.deepEqual([phase, active?.generation, candidate], ['steady', 1, null]);
  assert.deepEqual(
    active?.workers.map(({ state }) => state),
    ['accepting']
  );
  assert.equal(history[0]?.outcome, 'active');
  kept.get('/answer');
  assert.equal((await kept.answer()).version, '1', 'the kept-alive connection never left');
  kept.close();
  return error;
}

const CANDIDATES: readonly [entry: string, code: string, message: RegExp][] = [
  [
    'never-ready.mjs',
    'HANDOVER_ERR_CANDIDATE_NOT_READY',
    /^Generation 2 did not become ready in 6000 ms: worker 2\.1 \(pid \d+\) is running but never listened: it waits for a timer\. Look whether what it waits for comes, let it call listen\(\), or raise readyTimeout; generation 1 is still active\.$/
  ],
  [
    'crash-on-boot.mjs',
    'HANDOVER_ERR_CANDIDATE_EXITED',
    /^Generation 2 exited before it was active: worker 2\.1 exited with code 1 before it listened: Error: the database of crash-on-boot is not there \(\S+crash-on-boot\.mjs:2:7\); the last lines of its stderr:\n[\s\S]*\nMend what it says and try again; generation 1 is still active\.$/
  ],
  [
    'exit-zero-on-boot.mjs',
    'HANDOVER_ERR_CANDIDATE_EXITED',
    /^Generation 2 exited before it was active: worker 2\.1 exited with code 0 before it listened; it wrote nothing to stderr\. Let the entry call listen\(\): .*; generation 1 is still active\.$/
  ],
  [
    'throws-late.mjs',
    'HANDOVER_ERR_CANDIDATE_EXITED',
    /throws-late gave up waiting[\s\S]*generation 1 is still active\.$/
  ],
  [
    'not-there.mjs',
    'HANDOVER_ERR_CANDIDATE_ENTRY',
    /^Cannot start .*not-there\.mjs: .*not-there\.mjs does not exist\. Give the path of the file that starts the app; generation 1 is still active\.$/
  ]
];

for (const [entry, code, message] of CANDIDATES) {
  test(`a candidate from ${entry} is given up with the reason, and the active generation was never touched`, async () => {
    await withService({ name: 'bad', readyTimeout: 6_000 }, async (service) => {
      const error = await failsUntouched(service, fixture(entry));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      // The way back is the same entry as before: a failed deploy does not change it.
      assert.equal((await service.client.reload()).from, 1);
    });
  });
}

test('one of two workers that fails gives up the whole candidate', async () => {
  const entry = join(folder, 'second-fails.mjs');
  writeFileSync(
    entry,
    `import http from 'node:http';
import { mkdirSync } from 'node:fs';
let first = true;
try { mkdirSync(process.env.VERSION_FILE + '.lock'); } catch { first = false; }
if (!first) throw new Error('only one of me');
http.createServer((request, response) => response.end('x')).listen(3000);`
  );
  await withService({ name: 'half', workers: 2 }, async (service) => {
    const error = await service.client.reload({ entry }).catch((reason: unknown) => reason);
    assert.ok(HandoverError.is(error));
    assert.equal(error.code, 'HANDOVER_ERR_CANDIDATE_EXITED');
    assert.match(error.message, /only one of me/);
    const { active } = await service.client.status();
    assert.deepEqual(
      active?.workers.map(({ id, state }) => `${id} ${state}`),
      ['1.1 accepting', '1.2 accepting']
    );
  });
});

test('no secret of the environment appears in the error, the log or the status', async () => {
  const entry = join(folder, 'leaks.mjs');
  writeFileSync(entry, `throw new Error('cannot log in with ' + process.env.DB_PASSWORD);`);
  const env = { ...process.env, VERSION_FILE: join(folder, 'version'), DB_PASSWORD: 'correct-horse-battery' };
  writeFileSync(join(folder, 'version'), '1');
  await withService({ name: 'secret', env }, async (service) => {
    const error = await failsUntouched(service, entry);
    assert.match(error.message, /cannot log in with \[DB_PASSWORD\]/);
    const status = JSON.stringify(await service.client.status());
    assert.ok(![error.message, status, JSON.stringify(service.lines)].join().includes('correct-horse'));
  });
});

test('an entry removed after the start: a reload says so, and the service goes on', async () => {
  const entry = join(folder, 'removed.mjs');
  copyFileSync(LOAD_APP, entry);
  await withService({ name: 'removed', entry }, async (service) => {
    unlinkSync(entry);
    const error = await service.client.reload().catch((reason: unknown) => reason);
    assert.ok(HandoverError.is(error));
    assert.equal(error.code, 'HANDOVER_ERR_CANDIDATE_ENTRY');
    assert.match(error.message, /removed\.mjs does not exist\..*generation 1 is still active\.$/);
    const talk = await Talk.open(service.port);
    talk.get('/answer');
    assert.equal((await talk.answer()).status, 200);
    talk.close();
  });
});

test('a "current" symlink is resolved anew at each reload, and a rollback needs nothing of it', async () => {
  for (const release of ['41', '42']) copyFileSync(LOAD_APP, join(folder, `release-${release}.mjs`));
  const current = join(folder, 'current.mjs');
  symlinkSync(join(folder, 'release-41.mjs'), current);
  await withService({ name: 'links', entry: current }, async (service) => {
    unlinkSync(current);
    symlinkSync(join(folder, 'release-42.mjs'), current);
    await service.client.reload();
    assert.equal((await service.client.status()).active?.entry, join(folder, 'release-42.mjs'));
    unlinkSync(current);
    await service.client.rollback();
    assert.equal((await service.client.status()).active?.entry, join(folder, 'release-41.mjs'));
  });
});

/** Starts a service that must not come up, and gives what it said. */
async function failsToStart(options: ConstructorParameters<typeof TestService>[0]): Promise<string> {
  const service = new TestService(options);
  const exit = await service.exited();
  assert.notEqual(exit.code, 0);
  await service.end();
  return service.noise.join('\n');
}

test('a taken port is refused before anything is said to be started, and the one who has it is not disturbed', async () => {
  const other = net.createServer((socket) => socket.end('theirs')).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as net.AddressInfo;
  const said = await failsToStart({ name: 'taken', listen: `127.0.0.1:${port}` });
  assert.match(
    said,
    new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: another program holds this address \\(EADDRINUSE\\)`)
  );
  assert.match(said, /HANDOVER_ERR_LISTEN_IN_USE/);
  other.close();
});

test('two supervisors on one port: the second is refused, and the first one serves', async () => {
  await withService({ name: 'one' }, async (service) => {
    const said = await failsToStart({ name: 'two', listen: `127.0.0.1:${service.port}` });
    assert.match(said, /HANDOVER_ERR_LISTEN_IN_USE/);
    const talk = await Talk.open(service.port);
    talk.get('/answer');
    assert.equal((await talk.answer()).status, 200);
    talk.close();
  });
});

test('two supervisors with one name: the second is refused, and the first one keeps its socket', async () => {
  await withService({ name: 'same' }, async (service) => {
    const said = await failsToStart({ name: 'same', socket: service.socket });
    assert.match(said, /Cannot start a supervisor called "same": another one answers on .*control\.sock/);
    assert.match(said, /HANDOVER_ERR_REFUSED_NAME_TAKEN/);
    assert.equal((await service.client.status()).app, 'same');
  });
});

test('a unix socket that somebody answers on is refused, and one that nobody answers on is replaced', async () => {
  const path = join(folder, 'service.sock');
  const other = net.createServer().listen(path);
  await once(other, 'listening');
  const said = await failsToStart({ name: 'unix', listen: `unix:${path}` });
  assert.match(said, /another program answers on it/);
  // A socket file without its program: left behind by a process that was killed.
  const leave = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}2, () => process.kill(process.pid, 'SIGKILL'))`
  ]);
  await once(leave, 'exit');
  await withService({ name: 'unix', listen: ['127.0.0.1:0', `unix:${path}2`] }, async () => {
    const socket = net.connect(`${path}2`);
    await once(socket, 'connect');
    socket.write('GET /answer HTTP/1.1\r\nhost: a\r\nx-id: u\r\nconnection: close\r\n\r\n');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    assert.match(bytes.toString(), /^HTTP\/1\.1 200/);
    socket.destroy();
  });
  other.close();
});

test('a port without permission names the three ways out', {
  skip: process.getuid?.() !== 0 && 'needs root to become another user'
}, async () => {
  const script = join(folder, 'as-nobody.mjs');
  writeFileSync(
    script,
    `process.setgid(65534); process.setuid(65534);
const { supervise } = await import('handover');
await supervise({ entry: process.argv[2], listen: 80, name: 'low', socket: '/tmp/handover-nobody-' + process.pid + '.sock', log: 'json' })
  .catch((error) => { console.error(error.code, error.message); process.exitCode = error.exitCode; });`
  );
  chmodSync(folder, 0o755);
  const here = fileURLToPath(new URL('./', import.meta.url));
  const runner = join(here, `nobody-${process.pid}.mjs`);
  copyFileSync(script, runner); // beside the package, where its name is known
  try {
    const child = spawn(process.execPath, [runner, LOAD_APP], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe']
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    const [code] = (await once(child, 'exit')) as [number];
    const open = said.includes('"event":"started"');
    assert.ok(!open, `port 80 is open to all on this machine:\n${said}`);
    assert.equal(code, 1);
    assert.match(
      said,
      /HANDOVER_ERR_LISTEN_PERMISSION Cannot listen on \[::\]:80: this user may not bind it \(EACCES\)/
    );
    assert.match(said, /setcap .*systemd socket unit.*root/);
  } finally {
    unlinkSync(runner);
  }
});

test('garbage, oversize and slow requests on the control socket get an error and cost nothing else', async () => {
  await withService({ name: 'garbage' }, async (service) => {
    const speak = async (bytes: string): Promise<string> => {
      const socket = net.connect(service.socket);
      let said = '';
      socket.on('data', (chunk) => {
        said += chunk;
      });
      socket.on('error', () => {});
      socket.write(bytes);
      await once(socket, 'close');
      return said;
    };
    assert.match(await speak('\0\x01garbage\r\n\r\n'), /^HTTP\/1\.1 400 .*HANDOVER_ERR_CONTROL_BAD_REQUEST/s);
    assert.match(await speak(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /);
    const big = 'y'.repeat(70_000);
    assert.match(
      await speak(
        `POST /reload HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${big.length}\r\n\r\n${big}`
      ),
      /^HTTP\/1\.1 413 .*HANDOVER_ERR_CONTROL_TOO_LARGE/s
    );
    const ask = (request: string, body: string) =>
      speak(`${request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    assert.match(await ask('POST /reload', '{nonsense'), /^HTTP\/1\.1 400 .*it is not JSON/s);
    assert.match(await ask('POST /reload', '{"entri":"x"}'), /^HTTP\/1\.1 400 .*\\"entri\\" is not known/s);
    assert.match(await ask('POST /reload', '[]'), /^HTTP\/1\.1 400 /);
    assert.match(await ask('DELETE /status', ''), /^HTTP\/1\.1 404 .*Use one of: GET \/status/s);
    assert.match(await speak('POST /reload HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{'), /^HTTP\/1\.1 408 /);
    const { phase, active } = await service.client.status();
    assert.deepEqual([phase, active?.generation], ['steady', 1]);
  });
});

test('garbage over IPC is logged and dropped, and the app that sent it is served on', async () => {
  await withService({ name: 'ipc', entry: fixture('garbage.cjs') }, async (service) => {
    const talk = await Talk.open(service.port);
    const messages = [
      { cmd: 'NODE_HANDOVER' },
      { cmd: 'NODE_HANDOVER', v: 1, type: 'bogus' },
      { cmd: 'NODE_HANDOVER', v: 1, type: 'adopted', id: 7 }
    ];
    for (const message of messages) {
      const body = JSON.stringify(message);
      talk.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      assert.equal((await talk.answer()).status, 200);
    }
    await waitFor(async () => service.lines.filter(({ event }) => event === 'garbage').length === 3, 'each is logged');
    assert.ok(service.lines.every((line) => line.event !== 'garbage' || line.worker === '1.1'));
    assert.equal((await service.client.reload()).to, 2);
    talk.close();
  });
});
