import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import { app } from '../support/service.ts';
import { answers, assertUnnoticed, loaded } from './loaded.ts';
import { Talk } from './raw.ts';
import { type TestService, withService } from './service.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-exclusive-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);

test('not one request is answered, or begun, by the old version after the first by the new', async () => {
  const counter = file('counter');
  const release = (version: string) => ({ env: { VERSION: version, COUNTER: counter } });
  const options = { name: 'exclusive', entry: app('ill.mjs'), workers: 3, strategy: 'exclusive' } as const;
  await withService(options, async (service) => {
    await service.client.reload(release('a'));
    const report = await loaded(service, {}, async (load) => {
      const go = async (version: string, order: Promise<{ gapMs?: number }>) => {
        const { gapMs } = await order;
        assert.equal(typeof gapMs, 'number', 'the gap is told');
        load.expectVersion(version);
        await answers(load, version, 100);
        load.expectAnyVersion();
      };
      await answers(load, 'a', 100);
      await go('b', service.client.reload(release('b')));
      await go('c', service.client.reload(release('c')));
      await go('b', service.client.rollback());
      await go('c', service.client.rollback());
      await go('d', service.client.reload(release('d')));
    });
    assertUnnoticed(report);
    const lines = readFileSync(counter, 'utf8').trim().split('\n');
    assert.ok(lines.length >= 2 * report.answered, 'every request was counted, twice');
    const turns = lines.filter((line, index) => line !== lines[index - 1]);
    assert.deepEqual(turns, ['a', 'b', 'c', 'b', 'c', 'd']);
  });
});

/** Why the cutover does not come about, and what is said then. */
const FAILURES: readonly [
  name: string,
  prepare: (service: TestService) => Promise<() => Promise<void>>,
  why: RegExp
][] = [
  [
    'beforeCutover fails',
    async () => withFile('fail'),
    /^beforeCutover failed: .* exited with code 3: .*no such column/s
  ],
  [
    'beforeCutover takes too long',
    async () => withFile('hang'),
    /^beforeCutover failed: .*was not done within 1000 ms/s
  ],
  [
    'the old version does not become quiet',
    async ({ port }) => {
      const talk = await Talk.open(port);
      talk.get('/slow?ms=13000');
      return async () => {
        assert.equal((await talk.answer()).version, '1', 'what was in flight is answered');
        talk.close();
      };
    },
    /^generation 1 still had requests in flight after the drain timeout$/
  ]
];

function withFile(name: string): () => Promise<void> {
  writeFileSync(file(name), '');
  return async () => rmSync(file(name));
}

test('whatever keeps the cutover from coming, the old version serves on, and nobody notices more than a wait', async () => {
  const run = [
    `if [ -e ${file('fail')} ]; then echo no such column >&2; exit 3; fi`,
    `if [ -e ${file('hang')} ]; then sleep 60; fi`,
    `echo "$HANDOVER_FROM to $HANDOVER_TO" >> ${file('ran')}`
  ].join('\n');
  const options = { name: 'migrates', entry: app('ill.mjs'), workers: 2, strategy: 'exclusive' } as const;
  const limits = { beforeCutover: { run, timeout: '1s' }, drainTimeout: '4s' };
  await withService({ ...options, ...limits }, async (service) => {
    const report = await loaded(service, {}, async (load) => {
      for (const [name, prepare, why] of FAILURES) {
        const restore = await prepare(service);
        load.expectVersion('1');
        const error = await service.client.reload({ env: { VERSION: '2' } }).catch((reason: unknown) => reason);
        assert.ok(HandoverError.is(error), `${name}: the reload should have failed`);
        assert.deepEqual([error.code, error.exitCode, error.active], ['HANDOVER_ERR_CANDIDATE_CUTOVER', 1, 1]);
        assert.match(error.why, why);
        await answers(load, '1', 100);
        const { active, history } = await service.client.status();
        assert.equal(active?.generation, 1);
        assert.equal(history.at(-1)?.outcome, 'failed');
        assert.match(history.at(-1)?.reason ?? '', why);
        await restore();
      }
      load.expectAnyVersion();
      assert.equal((await service.client.reload({ env: { VERSION: '2' } })).to, 5);
      load.expectVersion('2');
      await answers(load, '2', 100);
    });
    assertUnnoticed(report);
    assert.equal(readFileSync(file('ran'), 'utf8'), '1 to 5\n', 'it ran to its end once');
  });
});
