import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { StrategyName } from '../../src/options/strategies.ts';
import { isAlive } from '../support/wait.ts';
import { TestService, waitFor } from './service.ts';
import { type Moment, Stage } from './stage.ts';
import { Witness } from './witness.ts';

// Kill -9 of the supervisor at any moment of any strategy: its workers serve on, and leave nothing behind.

const MOMENTS: readonly [strategy: StrategyName, size: number, moment: Moment, versions: readonly string[]][] = [
  ['blue-green', 2, 'checking', ['1']],
  ['blue-green', 1, 'opening', ['1', '2']],
  ['blue-green', 1, 'pausing', ['1', '2']],
  ['blue-green', 2, 'baking', ['2']],
  ['rolling', 2, { rolling: 'check', nth: 2 }, ['1', '2']],
  ['in-place', 2, { rolling: 'check', nth: 2 }, ['2']],
  ['exclusive', 2, 'quieting', ['1']],
  ['exclusive', 2, 'migrating', ['1']],
  ['exclusive', 1, 'opening', ['2']]
];

for (const [strategy, size, moment, versions] of MOMENTS) {
  const at = typeof moment === 'object' ? `${moment.rolling} of worker ${moment.nth}` : moment;
  test(`the supervisor is killed, ${strategy} with ${size} worker(s), ${at}: its workers serve on, then nothing is left`, async () => {
    const stage = new Stage(strategy, size, { orphanTimeout: '500ms', drainTimeout: '5s' });
    const { service } = stage;
    const witnesses: Witness[] = [];
    try {
      await service.started();
      const kept = await Witness.open(service.port);
      witnesses.push(kept);
      assert.ok(await kept.ask());
      service.version = '2';
      await stage.reach(moment, 1, 2);
      // What the history says is written a moment after it was noted.
      await waitFor(async () => existsSync(service.socket.replace('.sock', '.state.json')), 'the history');
      service.process.kill('SIGKILL');
      await service.exited();
      await stage.release();
      const seen = new Set<string>();
      // As long as somebody accepts there: an orphan serves on, and says goodbye before it goes.
      for (let count = 0; count < 40; count += 1) {
        const witness = await Witness.open(service.port).catch(() => null);
        if (!witness) break;
        witnesses.push(witness);
        if (await witness.ask()) seen.add(witness.version);
        witness.close();
      }
      if (await kept.ask()) seen.add(kept.version);
      assert.ok(seen.size > 0, 'the orphans serve on');
      assert.deepEqual(
        [...seen].filter((version) => !versions.includes(version)),
        [],
        'only these versions may answer'
      );
      kept.close();
      stage.letGo();
      await waitFor(async () => [...stage.pids].every((pid) => !isAlive(pid)), 'every orphan is gone');
      await startAgain(service);
    } catch (error) {
      const log = service.lines.map((line) => JSON.stringify(line)).join('\n');
      throw new Error(`${(error as Error).message}\n${log}\n${service.noise.slice(-20).join('\n')}`);
    } finally {
      stage.openAll();
      stage.letGo();
      for (const one of witnesses) one.close();
      await service.end();
    }
  });
}

/** The next supervisor takes over what the killed one left: its address, its socket and its history. */
async function startAgain({ port, socket }: TestService): Promise<void> {
  assert.ok(existsSync(socket), 'the killed one could not clean up');
  const again = new TestService({ name: 'again', listen: `127.0.0.1:${port}`, socket });
  try {
    await again.started();
    const { history } = await again.client.history();
    const generations = history.map(({ generation }) => generation);
    assert.deepEqual(
      generations.slice().sort(),
      generations.map((_, index) => index + 1)
    );
    assert.ok(generations.length >= 2, `the history goes on: ${JSON.stringify(generations)}`);
  } finally {
    await again.end();
  }
}
