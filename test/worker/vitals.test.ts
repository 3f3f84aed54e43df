import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BUCKETS_MS } from '../../src/core/verdict/histogram.ts';
import { PrivateClient } from '../../src/host/checks/private-client.ts';
import { Priority } from '../../src/host/processes/priority.ts';
import type { ToSupervisor } from '../../src/protocol/messages.ts';
import { PRIVATE_ID } from '../../src/protocol/not-of-clients.ts';
import { AS_OPENED } from '../../src/protocol/opened.ts';
import { bucketOf } from '../../src/worker/vitals.ts';
import { makeCertificate, skipWithoutOpenssl as skip } from '../support/certificate.ts';
import { atEnd } from '../support/end.ts';
import { Client, Raw } from '../support/http.ts';
import { until } from '../support/wait.ts';
import { Worker } from '../support/worker.ts';

test('a duration is in the first bucket whose bound it does not exceed', () => {
  const search = (ms: number) => BUCKETS_MS.findIndex((bound) => ms <= bound);
  for (let ms = 0.05; ms < 60_000; ms *= 1.013) assert.equal(bucketOf(ms), search(ms), String(ms));
  for (const [index, bound] of BUCKETS_MS.entries()) {
    assert.equal(bucketOf(bound), index);
    assert.equal(bucketOf(bound * (1 + 1e-12)), index + 1);
  }
  assert.deepEqual([0, -1, Number.NaN].map(bucketOf), [0, 0, 0]);
  assert.deepEqual([60_001, Number.POSITIVE_INFINITY].map(bucketOf), [BUCKETS_MS.length, BUCKETS_MS.length]);
});

/** What a worker counts from one ask to the next, and in all. */
class Patient {
  readonly worker: Worker;
  readonly all = { requests: 0, failed: 0, cut: 0, uncaught: 0 };
  readonly latency: number[] = new Array(BUCKETS_MS.length + 1).fill(0);
  /** The worst delay of its event loop. */
  delayMs = 0;
  #asks = 0;

  private constructor(worker: Worker) {
    this.worker = worker;
  }

  static async start(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Patient> {
    return new Patient(await Worker.start(t, 'measured.mjs', { measures: true, env }));
  }

  async ask(): Promise<void> {
    this.#asks += 1;
    const ask = this.#asks;
    this.worker.say({ type: 'sample', ask });
    this.#add(await until(() => this.worker.take('sampled', (one) => one.ask === ask), 'the sample'));
  }

  /** Asks until the counts are those that are waited for. */
  async counts(wanted: Partial<Patient['all']>): Promise<void> {
    const isSo = () =>
      Object.entries(wanted).every(([name, count]) => this.all[name as keyof Patient['all']] === count);
    await until(
      async () => {
        await this.ask();
        return isSo();
      },
      `${JSON.stringify(wanted)}`
    ).catch((error: Error) => assert.fail(`${error.message}, and there are ${JSON.stringify(this.all)}`));
  }

  client(t: TestContext): Client {
    const client = new Client(this.worker.target);
    atEnd(t, () => client.close());
    return client;
  }

  #add(sample: Extract<ToSupervisor, { type: 'sampled' }>): void {
    const { all } = this;
    for (const name of ['requests', 'failed', 'cut', 'uncaught'] as const) all[name] += sample[name];
    this.delayMs = Math.max(this.delayMs, BUCKETS_MS[sample.loop.at(-2) ?? 0] ?? 0);
    for (let at = 0; at < sample.latency.length; at += 2) {
      const bucket = sample.latency[at] ?? -1;
      this.latency[bucket] = (this.latency[bucket] ?? 0) + (sample.latency[at + 1] ?? 0);
    }
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test('answers are counted once each, and those with 5xx as failed', async (t) => {
  const patient = await Patient.start(t);
  const client = patient.client(t);
  for (const path of ['/', '/', '/missing', '/fails', '/']) await client.get(path);
  await patient.counts({ requests: 5, failed: 1, cut: 0 });

  await client.get('/fails');
  await patient.counts({ requests: 6, failed: 2, cut: 0, uncaught: 0 });
  assert.equal(sum(patient.latency), 6);
});

test('what is asked again was not counted before: each ask begins anew', async (t) => {
  const patient = await Patient.start(t);
  await patient.client(t).get('/');
  await patient.counts({ requests: 1 });
  for (let count = 0; count < 3; count += 1) await patient.ask();

  assert.equal(patient.all.requests, 1);
});

test('a slow answer is counted with the time it took', async (t) => {
  const patient = await Patient.start(t);
  await patient.client(t).get('/slow');
  await patient.counts({ requests: 1 });

  const bucket = patient.latency.findIndex((count) => count > 0);
  assert.ok((BUCKETS_MS[bucket] ?? 0) >= 115, `it is in the bucket up to ${BUCKETS_MS[bucket]} ms`);
});

test('a client that sends ahead has each of its answers timed from its own beginning', async (t) => {
  const patient = await Patient.start(t);
  const raw = new Raw(patient.worker.target);
  atEnd(t, () => raw.socket.destroy());
  raw.socket.write(['/slow', '/', '/'].map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join(''));
  await patient.counts({ requests: 3, cut: 0 });

  // The others were asked for as early, and had to wait.
  assert.equal(sum(patient.latency.filter((_, bucket) => (BUCKETS_MS[bucket] ?? 0) >= 100)), 3);
});

test('an answer that the app breaks off is cut short, and so is one whose client goes away', async (t) => {
  const patient = await Patient.start(t);
  await assert.rejects(patient.client(t).get('/cuts'));
  await patient.counts({ requests: 0, cut: 1 });

  const raw = new Raw(patient.worker.target);
  atEnd(t, () => raw.socket.destroy());
  raw.socket.write('GET /never HTTP/1.1\r\nHost: test\r\n\r\n');
  await raw.seen(() => raw.text.includes('begun'), 'the beginning of an answer');
  await patient.ask();
  assert.equal(patient.all.cut, 1, 'a request in progress has not ended');
  raw.socket.destroy(new Error('it has gone away'));
  await patient.counts({ requests: 0, cut: 2, failed: 0 });
  assert.equal(sum(patient.latency), 0);
});

test('a connection that closes between requests cuts nothing short', async (t) => {
  const patient = await Patient.start(t);
  const raw = new Raw(patient.worker.target);
  await raw.get('/', 'fine');
  raw.socket.end();
  await raw.ended();
  await patient.counts({ requests: 1, cut: 0 });
});

test('what the supervisor asks privately is not counted', async (t) => {
  const patient = await Patient.start(t);
  await askPrivately(t, patient.worker, false, ['/', '/fails', '/']);
  await patient.client(t).get('/');
  await patient.counts({ requests: 1, failed: 0, cut: 0 });
});

test('over TLS answers are counted as well, and private ones are not', { skip }, async (t) => {
  const patient = await Patient.start(t, makeCertificate(t));
  await askPrivately(t, patient.worker, true, ['/', '/fails']);
  await patient.ask();
  assert.equal(patient.all.requests, 0);

  const { target } = patient.worker;
  assert.ok('port' in target);
  const agent = new (await import('undici')).Agent({ connect: { rejectUnauthorized: false } });
  atEnd(t, () => agent.destroy());
  const { request } = await import('undici');
  for (const path of ['/', '/fails']) {
    const { body } = await request(`https://127.0.0.1:${target.port}${path}`, { dispatcher: agent });
    await body.text();
  }
  const broken = await request(`https://127.0.0.1:${target.port}/never`, { dispatcher: agent });
  broken.body.on('error', () => {}).destroy();
  await patient.counts({ requests: 2, failed: 1, cut: 1 });
});

async function askPrivately(t: TestContext, worker: Worker, secure: boolean, paths: string[]): Promise<void> {
  const give: ConstructorParameters<typeof PrivateClient>[0]['give'] = (handle) =>
    worker.say({ ...AS_OPENED, type: 'adopt', id: PRIVATE_ID, key: worker.bound.key, last: true }, handle, () =>
      handle.close()
    );
  const about = { generation: 1, worker: '1.1', startedAt: 0, priority: new Priority(null) };
  const probe = new PrivateClient({ ...about, secure, ended: new AbortController().signal, give }, 1);
  atEnd(t, () => probe.close());
  for (const path of paths) await probe.ask(path);
}

test('an exception that nobody catches is counted, also where the app lives on', async (t) => {
  const patient = await Patient.start(t);
  await patient.client(t).get('/throws');
  await patient.counts({ uncaught: 1 });
});

test('a rejection that nobody handles is counted, whether the app listens or not, and means what it meant', async (t) => {
  const patient = await Patient.start(t);
  const client = patient.client(t);
  await client.get('/rejects');
  await patient.counts({ uncaught: 1 });
  await client.get('/listens');
  await client.get('/rejects');
  await patient.counts({ uncaught: 2 });

  assert.equal((await client.get('/listens-no-more')).body, '0');
  await client.get('/rejects');
  await patient.counts({ uncaught: 3 });
});

test('an event loop that was blocked shows', async (t) => {
  const patient = await Patient.start(t);
  await patient.client(t).get('/blocks');
  await until(async () => {
    await patient.ask();
    return patient.delayMs > 100;
  }, 'the delay of the event loop');
});

test('what was done last is said before the worker is drained, without being asked for', async (t) => {
  const { worker, ...patient } = await Patient.start(t);
  const client = new Client(worker.target);
  await client.get('/fails');
  client.close();
  worker.say({ type: 'drain', receivers: false });
  await worker.hear('drained');

  assert.deepEqual(
    worker.said.flatMap((one) => (one.type === 'sampled' ? [[one.ask, one.requests, one.failed]] : [])),
    [[0, 1, 1]],
    JSON.stringify(patient.all)
  );
});

test('a worker that is not to measure says nothing when it is asked', async (t) => {
  const worker = await Worker.start(t, 'measured.mjs', { measures: false });
  worker.say({ type: 'sample', ask: 1 });
  worker.say({ type: 'report', ask: 2 });
  await worker.hear('reported');

  assert.ok(!worker.said.some(({ type }) => type === 'sampled'));
});
