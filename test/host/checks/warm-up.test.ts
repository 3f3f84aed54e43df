import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PrivateClient } from '../../../src/host/checks/private-client.ts';
import { Priority } from '../../../src/host/processes/priority.ts';
import { PRIVATE_ID } from '../../../src/protocol/not-of-clients.ts';
import { AS_OPENED } from '../../../src/protocol/opened.ts';
import { atEnd } from '../../support/end.ts';
import { inTime } from '../../support/wait.ts';
import { Worker } from '../../support/worker.ts';

async function start(t: TestContext): Promise<PrivateClient> {
  const worker = await Worker.start(t, 'http.mjs');
  const moving = { ...AS_OPENED, id: PRIVATE_ID, key: worker.bound.key, last: true };
  const ended = new AbortController().signal;
  const target = { generation: 1, worker: '1.1', secure: false, startedAt: 0, ended, priority: new Priority(null) };
  const client = new PrivateClient(
    { ...target, give: (handle) => worker.say({ type: 'adopt', ...moving }, handle, () => handle.close()) },
    2
  );
  atEnd(t, () => client.close());
  return client;
}

const LIVE = { paths: [], live: true, requests: Number.POSITIVE_INFINITY, concurrency: 2 };

test('a warm-up ends when its time is over, whatever is collected as garbage meanwhile', async (t) => {
  const client = await start(t);
  setFlagsFromString('--expose-gc');
  const collect = setInterval(runInNewContext('gc') as () => void, 20);
  atEnd(t, () => clearInterval(collect));
  const asked = { requests: ['GET /'], p99Ms: null };
  await inTime(
    client.warmUpLive(asked, { ...LIVE, forMs: 300 }, new AbortController().signal),
    'the end of the warm-up'
  );
});

test('a live warm-up ends as soon as the candidate is fast enough, or when it is not wanted any more', async (t) => {
  const client = await start(t);
  const asked = { requests: ['GET /', 'HEAD /'], p99Ms: 10_000 };
  await inTime(client.warmUpLive(asked, { ...LIVE, forMs: 1e9 }, new AbortController().signal), 'a fast candidate');
  await client.warmUpLive({ ...asked, p99Ms: null }, { ...LIVE, forMs: 1e9 }, AbortSignal.abort());
});
