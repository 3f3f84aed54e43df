import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../support/http.ts';
import { freePort, startPlain } from '../support/service.ts';

const APPS = {
  'signals-ready.mjs': 'ready',
  'pm2-ready.cjs': 'ready',
  'while-active.mjs': 'busy',
  'on-drain.mjs': 'tidy',
  'own-messages.cjs': '{"seen":[],"connected":false}',
  'two-servers.mjs': 'public',
  'slow-drain.mjs': 'after 0 ms'
};

for (const [name, body] of Object.entries(APPS)) {
  test(`${name} runs under plain node as well, and ends at SIGTERM`, async (t) => {
    const { target, stop, errors } = await startPlain(t, name, { ADMIN_PORT: String(await freePort()) });
    const answer = await ask(target);
    assert.deepEqual([answer.status, answer.body, answer.version], [200, body, '1']);
    if ('x-generation' in answer.headers) assert.equal(answer.headers['x-generation'], 'null');
    await stop('SIGTERM');
    assert.equal(errors(), '');
  });
}
