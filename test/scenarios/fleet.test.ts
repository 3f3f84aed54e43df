import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatReport } from '../../bench/client/index.ts';
import { allServe, assertNoneFailed, prepareFleet, skipWithoutEngines as skip, underLoad } from './fleet-machines.ts';

test('three machines behind HAProxy deploy one after the other, blue-green and in place, and go back together: 0 failed', {
  skip
}, async (t) => {
  const { fleet } = await prepareFleet(t);
  await fleet.start();
  for (const label of ['2', '3']) fleet.releases.add(label);
  const report = await underLoad(t, fleet, async () => {
    let entry = ['--entry', 'releases/{label}/app.mjs'];
    for (const [label, strategy] of [
      ['2', 'blue-green'],
      ['3', 'in-place']
    ] as const) {
      const { code, text } = await fleet.run('deploy', label, '--strategy', strategy, ...entry);
      assert.equal(code, 0, text);
      assert.match(text, /3 of 3 machines/);
      assert.deepEqual(await fleet.labels(), [label, label, label]);
      entry = [];
    }
    const { code, text } = await fleet.run('rollback');
    assert.equal(code, 0, text);
    await allServe(fleet, '2');
  });
  assertNoneFailed(report);
  assert.deepEqual(Object.keys(report.perVersion).sort(), ['1', '2', '3']);
});

test('a release that is bad is rejected by the first machine, and no other begins', { skip }, async (t) => {
  const { fleet } = await prepareFleet(t, { flags: ['--bake', '8s'] });
  await fleet.start();
  fleet.releases.add('2', 'ill');
  const report = await underLoad(t, fleet, async () => {
    const { code, text } = await fleet.run(
      'deploy',
      '2',
      '--entry',
      'releases/{label}/app.mjs',
      '--strategy',
      'blue-green'
    );
    assert.equal(code, 1, text);
    assert.match(text, /m1/);
    assert.match(text, /HANDOVER_ERR_CANDIDATE/);
    await allServe(fleet, '1');
  });
  // What was answered wrong, that version has answered itself.
  assert.equal(report.failed, report.failures.serverError, formatReport(report));
  for (const machine of fleet.machines.slice(1))
    assert.equal((await machine.status()).active?.generation, 1, machine.name);
});
