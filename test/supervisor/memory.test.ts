import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { State } from '../../src/core/state/state.ts';
import { numberMemory, readMemory, writeMemory } from '../../src/supervisor/memory.ts';
import { Player } from '../core/player.ts';

const write = (state: State) => writeMemory({ state, addresses: [], plans: [] as never });

test('what is remembered of a canary does not change with each measurement, and is the same canary', () => {
  const player = new Player('steady active=6 standby=5');
  for (const line of ['reload ./v7.js canary=5%,50% hold=60000', 'ready 7.1']) player.play(line);
  const before = write(player.state);
  player.play('sampled 7 requests=1000');
  const { state } = player;
  assert.ok(state.phase === 'canary' && state.canary.measured !== null);
  assert.equal(write(state), before);
  const read = readMemory(numberMemory(write(state), 3));
  assert.deepEqual(read?.state, { ...state, canary: { ...state.canary, measured: null } });
  player.play('share 0.25');
  assert.notEqual(write(player.state), before);
});
