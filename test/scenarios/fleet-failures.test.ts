import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Child } from '../../bench/fleet/child.ts';
import { skipWithoutOpenssl } from '../support/certificate.ts';
import { allServe, assertNoneFailed, prepareFleet, skipWithoutEngines as skip, underLoad } from './fleet-machines.ts';

const ENTRY = ['--entry', 'releases/{label}/app.mjs'];

async function succeeds(command: Child): Promise<void> {
  assert.equal(await command.exit(), 0, command.lines.join('\n'));
}

test('whatever dies in the middle of a deploy, the fleet comes to its end, and no request fails', {
  skip
}, async (t) => {
  const { fleet, server, etcd } = await prepareFleet(t, { most: 4 });
  await fleet.start(3);
  for (const label of ['2', '3', '4', '5', '6']) fleet.releases.add(label);
  const [m1, m2, m4] = [fleet.machine('m1'), fleet.machine('m2'), fleet.machine('m4')];

  const report = await underLoad(t, fleet, async () => {
    await t.test(
      'etcd is killed: a machine ends by its own verdict, nobody begins, and it goes on when etcd is back',
      async () => {
        const letGo = fleet.releases.hold('m2', '2');
        const command = fleet.begin('deploy', '2', ...ENTRY);
        await m2.child.line('fleet-deploying');
        await server.kill();
        letGo();
        await m2.child.line('"event":"verdict"');
        assert.deepEqual(await fleet.labels(), ['2', '2', '1', null]);
        await server.start();
        await succeeds(command);
        await allServe(fleet, '2', 3);
      }
    );

    await t.test('a supervisor is killed while it deploys: started again, it goes on', async () => {
      const letGo = fleet.releases.hold('m1', '3');
      const command = fleet.begin('deploy', '3');
      await m1.child.line('"event":"starting","generation":3');
      await m1.child.end('SIGKILL');
      letGo();
      await m1.start();
      await succeeds(command);
      await allServe(fleet, '3', 3);
    });

    await t.test('a machine joins in the middle: it comes to run what the fleet runs', async () => {
      const letGo = fleet.releases.hold('m2', '4');
      const command = fleet.begin('deploy', '4');
      await m2.child.line('"event":"fleet-deploying","label":"4"');
      await m4.start();
      letGo();
      await succeeds(command);
      await allServe(fleet, '4');
    });

    await t.test(
      'a machine stands still while it has the permit: it counts as failed, all go back, and so does it later',
      async () => {
        fleet.releases.hold('m2', '5');
        const command = fleet.begin('deploy', '5');
        await m2.child.line('"event":"fleet-deploying","label":"5"');
        const { kvs } = await etcd.range('/handover/shop/permits/');
        m2.child.signal('SIGSTOP');
        // As etcd does by itself once it has not heard of the machine for as long as its lease lasts.
        for (const { lease } of kvs) if (lease !== null) await etcd.revoke(lease);
        assert.equal(await command.exit(), 1, command.lines.join('\n'));
        assert.match(command.lines.join('\n'), /m2/);
        m2.child.signal('SIGCONT');
        await allServe(fleet, '4');
        assert.equal((await etcd.range('/handover/shop/permits/')).count, 0);
      }
    );

    await t.test('two deploys at once: one is done, and the other is refused', async () => {
      const commands = ['6', '7'].map((label) => {
        fleet.releases.add(label);
        return fleet.begin('deploy', label);
      });
      const codes = await Promise.all(commands.map((command) => command.exit()));
      assert.deepEqual([...codes].sort(), [0, 3], commands.map(({ lines }) => lines.join('\n')).join('\n\n'));
      const [winner, loser] = codes[0] === 0 ? ['6', commands[1]] : ['7', commands[0]];
      assert.match(loser?.lines.join('\n') ?? '', /HANDOVER_ERR_REFUSED_FLEET/);
      await allServe(fleet, winner);
    });
  });
  assertNoneFailed(report);
});

test('over TLS and with a password, beside another service and with garbage under its keys, a fleet deploys', {
  skip: skip || skipWithoutOpenssl
}, async (t) => {
  const { fleet, etcd } = await prepareFleet(t, { most: 2, proxied: false, etcd: { tls: true, password: true } });
  const other = { goal: '/handover/other/goal', machine: '/handover/other/machines/m1' };
  const garbage = ['machines/nobody', 'permits/1', 'queue/x/y', 'outcomes/x/m1', 'elsewhere'].map(
    (key) => `/handover/shop/${key}`
  );
  await etcd.txn({
    success: [...garbage, other.goal, other.machine].map((put) => ({ put, value: '{"never": "ours"' }))
  });
  await fleet.start();
  fleet.releases.add('2');

  const { code, text } = await fleet.run('deploy', '2', ...ENTRY);
  assert.equal(code, 0, text);
  await allServe(fleet, '2');
  for (const key of Object.values(other)) assert.equal((await etcd.get(key))?.value, '{"never": "ours"');
  const told = fleet.machines.flatMap(({ child }) => child.lines.filter((line) => line.includes('fleet-unreadable')));
  assert.ok(
    told.some((line) => line.includes('/handover/shop/permits/1')),
    told.join('\n')
  );
});
