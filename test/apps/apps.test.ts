import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { difference, showExpected } from './expected.ts';
import { loops } from './loops.ts';
import { UNNOTICED } from './model.ts';
import { APPS } from './table.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const counts = { requests: 100, failed: 0, reconnects: 0, examples: [] };

test('every application has its files, its own name and the versions of its packages', () => {
  const { dependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as { dependencies: object };
  const used = new Set(APPS.flatMap(({ packages }) => packages));

  assert.deepEqual([...used].sort(), Object.keys(dependencies).sort());
  assert.equal(new Set(APPS.map(({ name }) => name)).size, APPS.length);
  for (const { folder } of APPS) assert.ok(folder === undefined || existsSync(at(folder)), folder);
});

test('versions are pinned', () => {
  const { dependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  for (const [name, version] of Object.entries(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
});

test('an application that is expected to show more than 0 and 0 says why', () => {
  for (const { name, expected } of APPS) {
    if (showExpected({ failed: expected.failed, reconnects: expected.reconnects }) === '0, 0') continue;
    assert.ok(expected.why, name);
  }
});

test('one failure, one reconnect or no request at all is not as expected', () => {
  assert.equal(difference(counts, UNNOTICED), null);
  assert.equal(difference({ ...counts, failed: 1 }, UNNOTICED), '1 failed');
  assert.equal(difference({ ...counts, reconnects: 1 }, UNNOTICED), '1 reconnects');
  assert.equal(difference({ ...counts, requests: 0 }, UNNOTICED), 'nothing was asked');
  assert.equal(difference({ ...counts, reconnects: 2 }, { failed: 0, reconnects: [3, 5] }), '2 reconnects');
  assert.equal(difference({ ...counts, reconnects: 4 }, { failed: 0, reconnects: [3, 5] }), null);
});

test('a client of ours counts what failed, whoever began anew, and an answer of a version that is over', async () => {
  const answers = ['1', new Error('lost'), '1', '2', '2', '1'];
  let told = () => {};
  const clients = loops('a client', { clients: 1, pauseMs: 1, graceMs: 0 }, (reconnected) => {
    told = () => reconnected('the connection was closed');
    return {
      ask: async () => {
        const next = answers.shift() ?? '2';
        if (next === '2') clients.expect('2');
        if (next instanceof Error) throw next;
        return next;
      },
      end: () => {}
    };
  });

  await clients.warm();
  while (answers.length > 0) await new Promise((wake) => setTimeout(wake, 1));
  told();
  const { requests, failed, reconnects, examples } = await clients.stop();

  assert.ok(requests >= 6);
  assert.equal(failed, 2, examples.join('\n'));
  assert.equal(reconnects, 1);
  assert.match(examples.join('\n'), /lost[\s\S]*version 1 instead of 2[\s\S]*began anew: the connection was closed/);
});
