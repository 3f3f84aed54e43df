import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { News } from '../../../src/core/state/state.ts';
import { Verification, type VerificationPorts } from '../../../src/host/processes/verification.ts';
import type { Address } from '../../../src/protocol/messages.ts';

/** An address of documentation: nothing can be found out about it from here. */
const NOT_HERE = { address: '192.0.2.1', family: 'IPv4', port: 80 };

/** What comes of a cutover to a version that serves no address. */
async function verify(hasToListen: boolean, served: () => Address[] = () => []): Promise<News[]> {
  const posted: News[] = [];
  const ports = {
    listeners: { held: [], noteAccess: () => {} },
    listening: { hasToListen: () => hasToListen, closeUnserved: () => ['127.0.0.1:80'], served },
    records: () => [],
    lend: () => {},
    post: (news: News) => posted.push(news),
    announce: () => {},
    now: () => 5
  };
  await new Verification(ports as unknown as VerificationPorts, 100).verify(7);
  return posted;
}

test('a version that listens nowhere after its cutover is not reached, unless it says itself when it is ready', async () => {
  assert.deepEqual(await verify(true), [
    { type: 'unreached', about: 7, why: 'none of its servers listens any more', at: 5 }
  ]);
  assert.deepEqual(await verify(false), [{ type: 'reached', about: 7, closed: ['127.0.0.1:80'], at: 5 }]);
});

test('a version that has closed the server it tried, and begins to listen a moment later, is waited for', async () => {
  let looks = 0;
  const served = () => {
    looks += 1;
    return looks < 3 ? [] : [NOT_HERE];
  };
  assert.deepEqual(await verify(true, served), [{ type: 'reached', about: 7, closed: ['127.0.0.1:80'], at: 5 }]);
});
