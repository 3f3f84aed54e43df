import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Listeners } from '../../../src/host/listeners/listeners.ts';
import { Listening, type ListeningPorts } from '../../../src/host/processes/listening.ts';
import type { WorkerProcess } from '../../../src/host/processes/worker-process.ts';
import { createRecord } from '../../../src/host/processes/worker-record.ts';

/** Workers that say where they listen. Gives what was lent to them, and what was taken for garbage. */
function makeListening() {
  const listeners = new Listeners();
  const said = { lent: [] as string[], garbage: [] as string[] };
  const state = { isCuttingOver: false };
  const ports = {
    listeners,
    plans: { lentTo: () => listeners.held, isNamedFor: () => false, isNamed: () => false, reopen: () => {} },
    records: () => [],
    active: () => 1,
    isCuttingOver: () => state.isCuttingOver,
    readinessOf: () => ({ ready: 'listening', readyTimeout: 1_000 }),
    onChange: () => {},
    lend: (_record: unknown, key: string) => listeners.find(key) && said.lent.push(key),
    onGarbage: (_worker: string, what: string) => said.garbage.push(what)
  };
  const listening = new Listening(ports as unknown as ListeningPorts);
  const record = createRecord('w1', 1, {} as WorkerProcess);
  record.serving = true;
  const listen = (key: string) =>
    listening.onMessage(record, { type: 'listening', key, secure: false, preloaded: false });
  return { listening, listeners, record, said, state, listen };
}

test('a worker that listens on what was closed meanwhile gets it again, and after a stop nothing is said of it', async () => {
  const { listeners, said, listen } = makeListening();
  const { key } = await listeners.bind({ host: '127.0.0.1', port: 0 }, false);
  listeners.release(key);
  listen(key);
  assert.deepEqual(said, { lent: [key], garbage: [] });
  listeners.close();
  listen(key);
  assert.deepEqual(said, { lent: [key], garbage: [] });
});

test('what was never a listener is garbage', () => {
  const { said, listen } = makeListening();
  listen('127.0.0.1|80');
  assert.deepEqual(said, { lent: [], garbage: ['listening.key is no listener'] });
});

test('what a handover gives up is not swept away before it is said', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { listening, listeners, state } = makeListening();
  const { key } = await listeners.bind({ host: '127.0.0.1', port: 0 }, true);
  state.isCuttingOver = true;
  listening.sweep();
  for (let second = 0; second < 3; second += 1) t.mock.timers.tick(1_000);
  assert.ok(listeners.find(key));
  assert.equal(listening.closeUnserved().length, 1);
  const other = await listeners.bind({ host: '127.0.0.1', port: 0 }, true);
  state.isCuttingOver = false;
  t.mock.timers.tick(1_000);
  assert.equal(listeners.find(other.key), undefined, 'what is left is swept then');
});

test('a worker that listened when its time was over is said to have come too late, and not to have never listened', async () => {
  const { listening, listeners, record, listen } = makeListening();
  const { key } = await listeners.bind({ host: '127.0.0.1', port: 0 }, false);
  record.asking.set(1, key);
  const { why, fix } = await listening.readiness.explain(record);
  assert.deepEqual([why, fix?.split(':')[0]], ['called listen() only just now', 'It was about to be ready']);

  listen(key);
  assert.equal(record.rehearsed, false);
  const { why: then } = await listening.readiness.explain(record);
  assert.match(then, /^listened on 127\.0\.0\.1:\d+ only just now$/);
  listeners.close();
});
