import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { formatReport } from '../../bench/client/index.ts';
import { atEnd } from '../support/end.ts';
import { startHaproxy, withoutHaproxy } from '../support/haproxy.ts';
import { answers, loaded } from './loaded.ts';
import { TestService, waitFor } from './service.ts';

// Two machines behind a real HAProxy that asks their agents: whatever one of them does, no request fails.

async function startMachine(t: TestContext, version: string): Promise<{ service: TestService; line: string }> {
  const options = { agentCheck: '127.0.0.1:0', drainBefore: '2s', strategy: 'in-place', bake: 0 } as const;
  const service = new TestService({ name: `machine-${version}`, ...options });
  service.version = version;
  atEnd(t, () => service.end());
  await service.started();
  const { address } = await service.line('agent-check');
  const agent = `check inter 200ms agent-check agent-addr 127.0.0.1 agent-port ${String(address).split(':')[1]} agent-inter 200ms`;
  return { service, line: `127.0.0.1:${service.port} ${agent}` };
}

test('a drained machine gets no request until it is undrained, and deploys and stops cost none', {
  skip: withoutHaproxy
}, async (t) => {
  const [a, b] = [await startMachine(t, 'a'), await startMachine(t, 'b')];
  const haproxy = await startHaproxy(t, { a: a.line, b: b.line });
  await haproxy.thinks('a', 'UP');
  const report = await loaded({ port: haproxy.port } as TestService, {}, async (load) => {
    await answers(load, 'a', 50);
    await answers(load, 'b', 50);

    await a.service.client.drain({ closeIdle: true });
    await haproxy.thinks('a', 'DRAIN (agent)');
    const ofA = () => load.counts().perVersion.a ?? 0;
    let before = ofA();
    await waitFor(async () => {
      await answers(load, 'b', 50); // what was on its way to a has been answered
      const isStill = before === ofA();
      before = ofA();
      return isStill;
    }, 'a gets no request any more');
    assert.equal((await a.service.client.status()).drained?.closeIdle, true);
    await a.service.client.undrain();
    await answers(load, 'a', 50);

    // In place, with its only worker: it could not answer for a moment.
    a.service.version = 'a2';
    await a.service.client.reload();
    await answers(load, 'a2', 50);

    // And a stop, by a signal.
    b.service.process.kill('SIGTERM');
    await b.service.exited();
    await answers(load, 'a2', 50);
  });
  assert.equal(report.failed, 0, formatReport(report));
  assert.ok(report.answered > 300);
  const told = a.service.lines.map(({ event }) => event);
  for (const event of ['drained', 'undrained', 'withdrawing']) assert.ok(told.includes(event), event);
  assert.equal(b.service.lines.find(({ event }) => event === 'withdrawing')?.forMs, 2_000);
});
