import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/service.ts';
import { isAlive } from '../support/wait.ts';
import { Talk } from './raw.ts';
import { LOAD_APP, TestService, waitFor, withService } from './service.ts';

// What newcomers ran into, and must not again.

let folder = '';
before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'handover-findings-')));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('Fastify opens a second server on the port it got: with a wildcard listener and several workers it starts all the same', async () => {
  const entry = fileURLToPath(new URL('../fixtures/apps/fastify.mjs', import.meta.url));
  // Its default host is localhost, for which it listens on 127.0.0.1 and ::1 each.
  const env = { ...process.env, HOST: 'localhost' };
  await withService({ name: 'fastify', entry, listen: 0, workers: 3, env }, async (service) => {
    assert.equal((await service.client.reload()).to, 2);
    const talk = await Talk.open(service.port);
    talk.get('/hello/you');
    assert.equal((await talk.answer()).status, 200);
    talk.close();
  });
});

test('an app that probes its port before it really listens is started when it really listens', async () => {
  const entry = write(
    'probes.mjs',
    `import net from 'node:net'; import http from 'node:http';
const probe = net.createServer();
probe.listen(Number(process.env.PROBED), () => probe.close(() => http.createServer((q, r) => r.end('real')).listen(Number(process.env.PROBED))));`
  );
  const free = await freePort();
  for (const workers of [1, 2]) {
    await withService(
      { name: 'probes', entry, listen: [], workers, env: { ...process.env, PROBED: String(free) } },
      async (service) => {
        const talk = await Talk.open(service.port);
        talk.get('/');
        assert.equal((await talk.answer()).body, 'real');
        talk.close();
        assert.equal((await service.client.reload()).to, 2);
      }
    );
  }
});

test('the folder that the supervisor was started in may be gone when the next release is deployed', async () => {
  const old = join(folder, 'old');
  mkdirSync(old);
  await withService({ name: 'gone', cwd: old }, async (service) => {
    rmSync(old, { recursive: true });
    assert.equal((await service.client.reload({ entry: LOAD_APP })).to, 2);
  });
});

test('a socket path that the kernel would cut is refused by name, and nothing is left', async () => {
  const path = join(folder, 'x'.repeat(120));
  const service = new TestService({ name: 'long', listen: `unix:${path}` });
  try {
    assert.notEqual((await service.exited()).code, 0);
    assert.match(service.noise.join('\n'), /the path has \d+ bytes, and a unix socket may have 107/);
    assert.ok(!existsSync(path.slice(0, 107)));
  } finally {
    await service.end();
  }
});

test('a unix path in a folder that does not exist says that, and not something about permissions', async () => {
  const service = new TestService({ name: 'nofolder', listen: `unix:${folder}/not/there.sock` });
  await service.exited();
  assert.match(service.noise.join('\n'), /the folder .*\/not does not exist/);
  await service.end();
});

test('what a worker has started itself ends with it', async () => {
  const entry = write(
    'parent.mjs',
    `import http from 'node:http'; import { spawn } from 'node:child_process';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
http.createServer((q, r) => r.end(String(child.pid))).listen(3000);`
  );
  let pid = 0;
  await withService({ name: 'parent', entry }, async (service) => {
    const talk = await Talk.open(service.port);
    talk.get('/');
    pid = Number((await talk.answer()).body);
    assert.ok(isAlive(pid));
    talk.close();
  });
  await waitFor(async () => !isAlive(pid), 'the child has ended');
});
