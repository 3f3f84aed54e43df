import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import type { CandidateWorker } from '../../src/options/checks.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { makeCertificate, skipWithoutOpenssl } from '../support/certificate.ts';
import { app, startService } from '../support/service.ts';
import { Talk } from './raw.ts';
import { TestService, waitFor, withService } from './service.ts';

const ENTRY = app('health.mjs');
const CHECK = { path: '/health', interval: 50 };

/** Says what a generation answers to its check, from now on. */
const say = (folder: string, generation: number, ...words: string[]) =>
  writeFileSync(join(folder, `health-${generation}`), words.join(' '));

/** What a generation answered to its checks so far. */
function asksOf(folder: string, generation: number): string[] {
  const file = join(folder, 'asks');
  const all = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return all.filter((line) => line.startsWith(`${generation} `)).map((line) => line.split(' ')[1] ?? '');
}

const moreThan = (folder: string, generation: number, asks: number) =>
  waitFor(async () => asksOf(folder, generation).length > asks, `generation ${generation} is asked ${asks + 1} times`);

const versionOf = async ({ port }: TestService): Promise<string | null> => {
  const talk = await Talk.open(port);
  talk.get('/');
  const { version } = await talk.answer();
  talk.close();
  return version;
};

const failure = async (order: Promise<unknown>): Promise<HandoverError> => {
  const error = await order.then(
    () => assert.fail('the order should have failed'),
    (reason: unknown) => reason
  );
  assert.ok(HandoverError.is(error), String(error));
  return error;
};

test('a first version that is not ready when it listens is asked until it is, and only then serves', async () => {
  const service = new TestService({ name: 'late', entry: ENTRY, check: CHECK, workers: 2 });
  try {
    say(service.folder, 1, '503');
    const waiting = await service.line('check-waiting');
    assert.deepEqual([waiting.level, waiting.generation, waiting.check], ['info', 1, 'GET /health']);
    assert.match(
      String(waiting.reason),
      /^worker 1\.\d gave status 503, body "no database yet"; expected was status 200-399; asked again until it holds or readyTimeout is over$/
    );
    await moreThan(service.folder, 1, 12);
    const { phase, candidate, candidateNote } = await service.client.status();
    assert.deepEqual([phase, candidate?.generation], ['booting', 1]);
    assert.match(candidateNote ?? '', /^its check GET \/health is asked again: worker 1\.\d gave status 503/);
    assert.equal(service.lines.filter(({ event }) => event === 'started').length, 0);
    say(service.folder, 1, 'fine');
    await service.started();
    assert.equal(
      service.lines.filter(({ event }) => event === 'check-waiting').length,
      1,
      'said once, not for each ask'
    );
    assert.equal((await service.client.status()).candidateNote, null);
    assert.equal(await versionOf(service), '1');
  } finally {
    await service.end();
  }
});

for (const strategy of ['blue-green', 'rolling', 'in-place', 'exclusive'] as const) {
  test(`${strategy}: a candidate that is not ready when it listens takes over as soon as it is, and the old one serves until then`, async () => {
    await withService({ name: 'late', entry: ENTRY, check: [CHECK, '/'], workers: 2, strategy }, async (service) => {
      const { folder, client } = service;
      say(folder, 2, '503');
      service.version = '2';
      const order = client.reload();
      await moreThan(folder, 2, 8);
      assert.equal(await versionOf(service), '1');
      assert.match((await client.status()).candidateNote ?? '', /^its check GET \/health is asked again: worker 2\./);
      say(folder, 2, 'fine');
      assert.equal((await order).to, 2);
      assert.equal(await versionOf(service), '2');
      assert.equal((await client.status()).candidateNote, null);
    });
  });
}

test('each check is asked until it holds, in its turn, whatever it expects', async (t) => {
  const thrown = { times: 0 };
  const comes = async ({ fetch, signal }: CandidateWorker) => {
    assert.equal(signal.aborted, false);
    assert.equal((await fetch('/')).status, 200);
    thrown.times += 1;
    if (thrown.times === 2 || thrown.times === 3) throw new Error('not yet');
  };
  const body = { ...CHECK, expect: { status: 200, body: 'fine' } };
  const { service, folder, event } = await startService(t, 'health.mjs', { check: [body, comes] });
  assert.equal(thrown.times, 1);
  say(folder, 2, '500', '204', '404', 'fine');
  assert.equal((await service.reload()).to, 2);
  assert.deepEqual(asksOf(folder, 2), ['500', '204', '404', 'fine']);
  assert.equal(thrown.times, 4);
  const told = await event('check-waiting', ({ check }) => check === 'function comes');
  assert.match(String(told.reason), /gave an exception: not yet; expected was that it settles/);
});

test('over TLS a check is asked again too', { skip: skipWithoutOpenssl }, async (t) => {
  const { service, folder } = await startService(t, 'health.mjs', { check: CHECK, env: makeCertificate(t) });
  say(folder, 2, '503', '503', '503', '503', '503', 'fine');
  assert.equal((await service.reload()).to, 2);
  assert.equal(asksOf(folder, 2).length, 6);
});

test('a check that does not answer holds a reload until readyTimeout and no longer, and the last answer is named', async () => {
  const options = { name: 'hangs', entry: ENTRY, readyTimeout: '8s', check: { ...CHECK, timeout: '20s' } };
  await withService(options, async (service) => {
    say(service.folder, 2, '503', '503', 'hang');
    const { code, message } = await failure(service.client.reload());
    assert.equal(code, 'HANDOVER_ERR_CANDIDATE_CHECK');
    assert.match(message, /worker 2\.1 gave status 503, body "no database yet"; .*; asked 3 times in [\d.]+ s\./);
    say(service.folder, 3, 'hang');
    const hung = await failure(service.client.reload());
    assert.match(hung.message, /worker 3\.1 gave none within 8000 ms; expected was an answer; asked once\./);
    assert.equal(await versionOf(service), '1');
  });
});

test('a first version that never becomes ready is given up with what it answered', async () => {
  const service = new TestService({ name: 'never', entry: ENTRY, readyTimeout: '8s', check: CHECK });
  say(service.folder, 1, '503');
  const { code } = await service.exited();
  assert.notEqual(code, 0);
  const said = service.noise.join('\n');
  assert.match(said, /GET \/health: worker 1\.1 gave status 503, .*; asked \d{2,} times in [\d.]+ s/);
  assert.match(said, /raise readyTimeout/);
  await service.end();
});

/** A reload whose check hangs, ended from outside: it must not take until readyTimeout, or the drain timeout, is over. */
const ENDED: readonly [how: string, end: (service: TestService) => Promise<unknown>, code: RegExp][] = [
  ['aborted', ({ client }) => client.abort(), /ABANDONED/],
  [
    'superseded',
    (service) => {
      service.version = '3';
      return service.client.reload({ supersede: true });
    },
    /ABANDONED/
  ],
  ['whose service is stopped', async ({ process }) => process.kill('SIGTERM'), /STOPPING|ABANDONED/],
  ['whose worker dies', async ({ folder }) => say(folder, 2, 'exit'), /EXITED/]
];

for (const strategy of ['blue-green', 'rolling'] as const) {
  for (const [how, end, code] of ENDED) {
    test(`${strategy}: a candidate ${how} while it is checked is asked no more`, async () => {
      const options: SuperviseOptions & { entry: string } = {
        ...{ name: 'ended', entry: ENTRY, strategy, workers: 2, bake: 0, keepWarm: 0 },
        ...{ readyTimeout: '10m', drainTimeout: '10m', check: { ...CHECK, timeout: '10m' } }
      };
      const service = new TestService(options);
      try {
        await service.started();
        say(service.folder, 2, ...(how === 'whose worker dies' ? ['503'] : ['503', '503', 'hang']));
        const order = failure(service.client.reload());
        await moreThan(service.folder, 2, 2);
        await end(service);
        assert.match((await order).code, code);
        if (how.endsWith('stopped')) await service.exited();
        else {
          await waitFor(async () => {
            const { retiring, phase } = await service.client.status();
            return phase === 'steady' && retiring.length === 0;
          }, 'nothing of the candidate is left');
          assert.equal((await service.client.status()).candidateNote, null);
          assert.equal(await versionOf(service), how === 'superseded' ? '3' : '1');
        }
        assert.ok(
          !service.lines.some(({ event }) => event === 'drain-overdue'),
          'nobody waited for the private request'
        );
      } finally {
        await service.end();
      }
    });
  }
}

test('while it bakes, a version that has passed is rejected by as many failures in a row as `attempts` says', async () => {
  const check = { path: '/health', interval: 20, attempts: 3, whileBaking: true };
  await withService({ name: 'bakes', entry: ENTRY, bake: '1m', check }, async (service) => {
    say(service.folder, 2, '503', 'fine', '503', '503', 'fine', '503', '503', '503');
    const error = await failure(service.client.reload({ wait: true }));
    assert.equal(error.code, 'HANDOVER_ERR_CANDIDATE_REJECTED');
    assert.match(
      error.message,
      /its check GET \/health failed while baking: worker 2\.1 gave status 503, .*; asked 3 times/
    );
    assert.equal(asksOf(service.folder, 2).length, 8);
    assert.equal(await versionOf(service), '1');
  });
});
