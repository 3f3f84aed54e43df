import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { atEnd } from '../support/end.ts';
import { ask, toTarget } from '../support/http.ts';
import { makePlace } from '../support/rights.ts';
import { until } from '../support/wait.ts';
import { TestService } from './service.ts';

// A secret that an app gets by its environment is looked for at every door.

const INHERITED = 'planted-in-the-environment-0451';
const FILED = 'planted-in-the-env-file-1984';
process.env.SHOP_TOKEN = INHERITED;

test("secrets of an app's environment are at no door; what the env file gave is in the state file alone, for its user", async (t) => {
  const { app, entry, socket, folder } = makePlace(t);
  const envFile = join(folder, 'secret.env');
  writeFileSync(envFile, `SHOP_SECRET=${FILED}\n`, { mode: 0o600 });
  const service = new TestService({ entry, cwd: app, socket, envFile, admin: `unix:${join(folder, 'admin.sock')}` });
  atEnd(t, () => service.end());
  await service.started();
  const { env } = JSON.parse((await ask({ host: '127.0.0.1', port: service.port })).body);
  assert.deepEqual([env.SHOP_TOKEN, env.SHOP_SECRET], [INHERITED, FILED], 'the app has them');

  await service.client.reload();
  await service.client.rollback();
  const broken = join(app, 'broken.js');
  writeFileSync(
    broken,
    "const { env } = process;\nthrow new Error('cannot log in with ' + env.SHOP_TOKEN + ' and ' + env.SHOP_SECRET);"
  );
  const failed = await service.client.reload({ entry: broken }).then(
    () => assert.fail('it went well'),
    (error: Error) => error.message
  );
  assert.match(failed, /cannot log in with \[SHOP_TOKEN\]/);
  const status = await service.client.status();
  const doors: Record<string, string> = {
    'the answer to a reload that failed': failed,
    'the log': service.lines.map((line) => JSON.stringify(line)).join('\n'),
    status: JSON.stringify(status),
    'the history': JSON.stringify(await service.client.history())
  };
  const admin = toTarget(String((await service.line('admin')).address));
  for (const path of ['/', '/metrics', '/ready', '/status', '/history'])
    doors[`admin ${path}`] = (await ask(admin, path)).body;
  const run = join(socket, '..');
  await until(() => readdirSync(run).some((file) => file.endsWith('.state.json')), 'the state file');
  for (const file of readdirSync(run)) {
    const path = join(run, file);
    if (!statSync(path).isFile()) continue;
    assert.equal(statSync(path).mode & 0o077, 0, `${file} is for its user alone`);
    if (file.endsWith('.state.json')) assert.equal(readFileSync(path, 'utf8').includes(INHERITED), false, file);
    else doors[file] = readFileSync(path, 'utf8');
  }
  const workers = [status.active, status.standby].flatMap((one) => one?.workers ?? []);
  for (const pid of [status.supervisor.pid, ...workers.map(({ pid }) => pid)])
    doors[`the command line of ${pid}`] = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  for (const [door, text] of Object.entries(doors)) {
    assert.ok(text.length > 0, `${door} was read`);
    for (const secret of [INHERITED, FILED]) assert.equal(text.includes(secret), false, `${door} has ${secret}`);
  }
});
