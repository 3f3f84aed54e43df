import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findLinks, PAGES } from './docs/pages.ts';

// What a newcomer has: the packed package in an empty project of theirs.

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'handover-project-'));
const env = { ...process.env, XDG_RUNTIME_DIR: join(folder, 'run') };

const APPS = {
  express: `import express from 'express';
express().get('/', (request, response) => { response.send('express ' + process.pid); }).listen(3000);`,
  fastify: `import Fastify from 'fastify';
const app = Fastify();
app.get('/', async () => 'fastify ' + process.pid);
await app.listen({ port: 3000 });`
};

const TYPES = `import type { Service, Status, SuperviseOptions } from 'handover';
import { HandoverError, supervise } from 'handover';
import { generation, onDrain, ready, whileActive } from 'handover/worker';

const options: SuperviseOptions & { entry: string } = { entry: './server.js', listen: 80, workers: 2, readyTimeout: '30s' };
export async function main(): Promise<number> {
  const service: Service = await supervise(options);
  service.on('cutover', ({ from, to }) => console.log(from + to));
  const { bootMs, handedOver } = await service.reload();
  const status: Status = await service.status();
  try { await service.rollback(); } catch (error) { if (HandoverError.is(error)) console.log(error.code, error.fix); }
  ready(); onDrain(async () => {}); whileActive(() => () => {});
  await supervise(() => {}, { listen: ['127.0.0.1:80', 'unix:/tmp/x'] });
  // @ts-expect-error: an option that does not exist
  await supervise({ entry: 'x', listne: 80 });
  return bootMs + handedOver + (generation ?? 0) + (status.active?.workers[0]?.inFlight ?? 0);
}
`;

before(async () => {
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  assert.ok(tarball);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'newcomer', private: true, type: 'module' }));
  const packages = [`./${tarball}`, 'express@5', 'fastify@5', 'typescript@5.9', '@types/node@20'];
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], { cwd: folder, env });
  for (const [name, code] of Object.entries(APPS)) writeFileSync(join(folder, `${name}.js`), code);
  writeFileSync(join(folder, 'types.ts'), TYPES);
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const name of Object.keys(APPS)) {
  test(`in an empty project, \`npx handover run\` serves ${name}, reloads it and stops it`, async () => {
    const child = spawn(
      'npx',
      ['handover', 'run', `${name}.js`, '--listen', '127.0.0.1:0', '--name', name, '--log', 'json'],
      {
        cwd: folder,
        env,
        stdio: ['ignore', 'ignore', 'pipe']
      }
    );
    const exit = once(child, 'exit');
    const said: string[] = [];
    await new Promise<void>((started, failed) => {
      createInterface(child.stderr).on('line', (line) => {
        said.push(line);
        if (line.includes('"event":"started"')) started();
      });
      child.once('exit', () => failed(new Error(said.join('\n'))));
    });
    // What `npx` runs, as it has run it above: npm itself takes longer to start than the command.
    const command = join(folder, 'node_modules/.bin/handover');
    const ask = async (...args: string[]) =>
      JSON.parse((await run(command, [...args, '--json'], { cwd: folder, env })).stdout) as Record<string, unknown>;
    const status = (await ask('status')) as { listeners: { address: string }[] };
    const get = async () => (await fetch(`http://${status.listeners[0]?.address}/`)).text();
    const first = await get();
    assert.match(first, new RegExp(`^${name} \\d+$`));
    const { ok, from, to } = await ask('reload');
    assert.deepEqual([ok, from, to], [true, 1, 2]);
    assert.notEqual(await get(), first);
    assert.equal((await ask('rollback')).to, 1);
    assert.equal(await get(), first);
    assert.equal((await ask('stop')).ok, true);
    const [code] = (await exit) as [number];
    assert.equal(code, 0);
  });
}

test('the links of README.md and of the pages it leads to work in the installed package', () => {
  const installed = join(folder, 'node_modules/handover');
  // The page on the architecture is about the source, which is in the repository alone.
  const pages = PAGES.filter(({ path }) => path !== 'docs/architecture.md');
  const missing = pages.flatMap(({ path, text }) =>
    findLinks(text)
      .map((target) => target.split('#')[0] ?? '')
      .filter((file) => !existsSync(join(installed, file === '' ? path : join(dirname(path), file))))
      .map((file) => `${path}: ${file}`)
  );

  assert.deepEqual(missing, []);
});

for (const [module, moduleResolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler']
] as const) {
  test(`the types are there under moduleResolution ${moduleResolution}`, async () => {
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node'];
    const tsc = join(folder, 'node_modules/.bin/tsc');
    const args = [...flags, '--module', module, '--moduleResolution', moduleResolution, 'types.ts'];
    const { stdout } = await run(tsc, args, { cwd: folder }).catch((error: { stdout: string }) => error);
    assert.equal(stdout, '');
  });
}
