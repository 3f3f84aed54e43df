import assert from 'node:assert/strict';
import { chmodSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ControlClient } from '../../src/control/client.ts';
import { HandoverError } from '../../src/errors.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/folder.ts';
import { FakeOperator } from '../support/operator.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test('a supervisor of another user is not said to be gone: who may give it orders is', { skip: !isRoot }, async (t) => {
  const folder = makeFolder(t);
  chmodSync(folder, 0o755);
  const path = join(folder, 'shop.sock');
  const server = createServer().listen(path);
  t.after(() => server.close());
  await new Promise((done) => server.once('listening', done));
  chmodSync(path, 0o600);
  const client = new ControlClient(path);
  t.after(() => client.close());

  process.seteuid?.(NOBODY);
  t.after(() => process.seteuid?.(0));
  const error = await client.status().catch((thrown: unknown) => HandoverError.from(thrown));
  process.seteuid?.(0);
  assert.ok(HandoverError.is(error));
  assert.equal(error.code, 'HANDOVER_ERR_CONTROL_UNREACHABLE');
  assert.match(error.message, /this user may not connect to .* \(EACCES\)\. Give the order as the user who started it/);
});

test('services of one process that start together have their sockets in one folder', async (t) => {
  const folder = makeFolder(t);
  const names = ['one', 'two', 'three'];
  const paths = await Promise.all(names.map((name) => new FakeOperator().serve(t, name, folder)));

  assert.deepEqual(readdirSync(folder).sort(), names.map((name) => `${name}.sock`).sort());
  for (const path of paths) {
    const client = new ControlClient(path);
    atEnd(t, () => client.close());
    assert.equal((await client.promote()).ok, true);
  }
});
