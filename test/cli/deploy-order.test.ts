import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeployOrder } from '../../src/cli/fleet/deploy-order.ts';

test('a fleet deploy refuses a path with a word in braces that nothing is put in the place of', async () => {
  for (const flag of ['entry', 'cwd'])
    await assert.rejects(readDeployOrder('43', { [flag]: 'releases/{lable}/server.js' }), {
      code: 'HANDOVER_ERR_OPTION_INVALID',
      message: /nothing but \{label\} stands in braces, and it is "releases\/\{lable\}\/server\.js"/
    });
  assert.equal((await readDeployOrder('43', { entry: 'releases/{label}/a.js' })).entry, 'releases/{label}/a.js');
});

test('a fleet deploy takes back a command and a strategy that stand from the deploy before', async () => {
  const { fetch, strategy } = await readDeployOrder('43', { fetch: false, strategy: false });

  assert.deepEqual([fetch, strategy], [null, null]);
  assert.equal((await readDeployOrder('43', {})).fetch, undefined);
});
