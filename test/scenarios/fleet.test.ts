import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { formatReport } from '../../bench/client/index.ts';
import { cannotSeparate, HUB, isInside, layGround, runInside } from '../support/network.ts';
import {
  allServe,
  assertNoneFailed,
  prepareFleet,
  type Stage,
  skipWithoutEngines as skip,
  underLoad
} from './fleet-machines.ts';

// In network namespaces of their own, where they are to be had: then this file runs once more inside of one, with one for each machine.
const missing = isInside ? false : skip || cannotSeparate();
const where = missing ? 'on 127.0.0.1 to 127.0.0.3' : 'each in a network namespace';

async function prepare(t: TestContext, wanted: Parameters<typeof prepareFleet>[1] = {}): Promise<Stage> {
  if (!isInside) return prepareFleet(t, wanted);
  return prepareFleet(t, { ...wanted, grounds: await layGround(3), etcd: { host: HUB } });
}

// A good deploy blue-green is what fleet-failures.test.ts has, five times.
const HOUR_MS = 3_600_000;
const CLOCK = {
  CLOCK_OFF_MS: String(HOUR_MS),
  NODE_OPTIONS: `--import ${new URL('../fixtures/other-clock.mjs', import.meta.url).href}`
};

if (!isInside && !missing)
  test('three machines, each in a network namespace of its own, deploy and go back', (t) =>
    runInside(t, import.meta.url));
else {
  test(`three machines ${where} behind HAProxy, the clock of one an hour ahead, deploy with each strategy and go back, by an order and from a bad release: 0 failed`, {
    skip
  }, async (t) => {
    if (missing) t.diagnostic(missing);
    const { fleet } = await prepare(t, { envs: { m2: CLOCK } });
    await fleet.start();
    for (const label of ['2', '3', '4']) fleet.releases.add(label);
    fleet.releases.add('5', 'crashes', 'm3');
    const report = await underLoad(t, fleet, async () => {
      let entry = ['--entry', 'releases/{label}/app.mjs'];
      for (const [label, strategy] of [
        ['2', 'exclusive'],
        ['3', 'rolling'],
        ['4', 'in-place']
      ] as const) {
        const { code, text } = await fleet.run('deploy', label, '--strategy', strategy, ...entry);
        assert.equal(code, 0, text);
        assert.match(text, /3 of 3 machines/);
        assert.deepEqual(await fleet.labels(), [label, label, label]);
        entry = [];
      }
      const { code, text } = await fleet.run('rollback');
      assert.equal(code, 0, text);
      await allServe(fleet, '3');

      const bad = await fleet.run('deploy', '5', '--strategy', 'blue-green');
      assert.equal(bad.code, 1, bad.text);
      await allServe(fleet, '3');
    });
    assertNoneFailed(report);
    assert.deepEqual(Object.keys(report.perVersion).sort(), ['1', '2', '3', '4', '5']);

    const { goal, machines } = JSON.parse((await fleet.run('status', '--json')).text);
    assert.equal(goal.state, 'rolled-back');
    assert.deepEqual(
      goal.failed.map(({ machine }: { machine: string }) => machine),
      ['m3']
    );
    assert.deepEqual(
      machines.map(({ machine, label, ready }: Record<string, unknown>) => [machine, label, ready]),
      fleet.machines.map(({ name }) => [name, '3', true])
    );
    // Its clock was really another one.
    const said = fleet.machine('m2').child.lines.findLast((line) => line.startsWith('{')) ?? '';
    assert.ok(Date.parse(JSON.parse(said).time) - Date.now() > HOUR_MS / 2, said);
  });

  test('a release that is bad is rejected by the first machine, and no other begins', { skip }, async (t) => {
    const { fleet } = await prepare(t, { flags: ['--bake', '8s'] });
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
}
