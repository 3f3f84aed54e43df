import type { Effect, In, State, Step } from '../state/state.ts';
import { endBake } from './bake-period.ts';
import { complete } from './complete.ts';
import { isCovering } from './cover.ts';
import { failWith, stillActive } from './refusals.ts';
import { retire } from './retire.ts';
import { announce, before, type On, to } from './rule.ts';

/** Steady: the operator retires the standby. */
export function retireNow(state: In<'steady'>, { request, at }: On<'retire-asked'>): Step {
  const { standby, active } = state;
  const covers = standby !== null && isCovering(standby);
  if (!standby || covers) {
    return to(
      state,
      failWith(state, request, 'HANDOVER_ERR_REFUSED_NO_STANDBY', {
        what: 'Cannot retire the standby',
        why: standby
          ? `generation ${standby.id} covers for the active one at the moment`
          : 'no generation is kept warm',
        fix: `Look at \`handover status\`; ${stillActive(active)}`
      })
    );
  }
  const calm = endBake(complete(state), 'its standby was retired by the operator');
  const ended = retire({ ...calm.state, standby: null }, standby, 'retired by the operator', true, at);
  const reply: Effect = { do: 'reply', request, reply: { ok: true, retired: standby.id } };
  return before(calm.effects, to(ended.state, ...ended.effects, reply));
}

/** The machine runs out of memory: the standby is retired, unless it covers. */
export function relieveMemory(state: State, share: number, at: number): Step {
  const standby = 'standby' in state ? state.standby : null;
  if (!standby || isCovering(standby)) return to(state);
  const percent = Math.round(share * 100);
  const why = `the machine has only ${percent} % of its memory left`;
  const without = { ...state, standby: null } as State;
  return before(
    [announce('warn', 'memory-low', { generation: standby.id, reason: why })],
    retire(without, standby, why, true, at)
  );
}
