import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { News } from '../../../src/core/state/state.ts';
import { Verification, type VerificationPorts } from '../../../src/host/processes/verification.ts';

/** What comes of a cutover to a version that serves no address. */
async function verify(hasToListen: boolean): Promise<News[]> {
  const posted: News[] = [];
  const ports = {
    listeners: { held: [] },
    listening: { hasToListen: () => hasToListen, closeUnserved: () => ['127.0.0.1:80'], served: () => [] },
    records: () => [],
    lend: () => {},
    post: (news: News) => posted.push(news),
    announce: () => {},
    now: () => 5
  };
  await new Verification(ports as unknown as VerificationPorts).verify(7);
  return posted;
}

test('a version that listens nowhere after its cutover is not reached, unless it says itself when it is ready', async () => {
  assert.deepEqual(await verify(true), [
    { type: 'unreached', about: 7, why: 'none of its servers listens any more', at: 5 }
  ]);
  assert.deepEqual(await verify(false), [{ type: 'reached', about: 7, closed: ['127.0.0.1:80'], at: 5 }]);
});
