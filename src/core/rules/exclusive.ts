import { areAll } from '../state/generations.ts';
import type { Effect, Generation, In, Step } from '../state/state.ts';
import { isCovering } from './cover.ts';
import { openNext } from './cutover.ts';
import { giveUpNext } from './failures.ts';
import { hold } from './hold.ts';
import { announce, before, type On, to } from './rule.ts';

type Underway = Omit<In<'quieting'>, 'phase' | 'next' | 'openedAt'>;

/** How much longer than its own timeout `beforeCutover` is waited for. */
const GRACE_MS = 10_000;

/**
 * Makes the active generation quiet before another version may serve: it accepts no connection, holds idle ones, and
 * answers the requests that have reached it.
 */
export function quieten(state: Underway, next: Generation, at: number): Step {
  const held = hold(state.active);
  const active = held.generation;
  const order = { ...state.order, heldAt: at };
  const quieting: In<'quieting'> = { ...state, phase: 'quieting', active, next, order, openedAt: at };
  // A standby that covers would have to become quiet too.
  if (state.standby && isCovering(state.standby)) {
    const why = `no worker of generation ${active.id} accepts, and its standby covers for it`;
    return giveUpNext(quieting, { type: 'covered', why, at });
  }
  const effects: Effect[] = [
    announce('info', 'quieting', { generation: active.id }),
    ...held.effects,
    { do: 'clear-deadline', deadline: 'warm-over', about: next.id },
    { do: 'set-deadline', deadline: 'quiet-overdue', about: active.id, afterMs: state.limits.drainMs }
  ];
  if (areAll.quiet(active)) return before(effects, migrate(quieting, { type: 'all-quiet', about: active.id, at }));
  return to(quieting, ...effects);
}

/** Quieting: nothing is in flight any more, so `beforeCutover` runs now. */
export function migrate(state: In<'quieting'>, { at }: On<'all-quiet'>): Step {
  const { active, next, order, limits } = state;
  const effects: Effect[] = [
    { do: 'clear-deadline', deadline: 'quiet-overdue', about: active.id },
    announce('info', 'quiet', { generation: active.id, tookMs: at - (order.heldAt ?? at) })
  ];
  if (limits.migrateMs === null || order.kind === 'rollback') return before(effects, openExclusive(state, at));
  return to(
    { ...state, phase: 'migrating', failing: null },
    ...effects,
    announce('info', 'migrating', { generation: next.id }),
    { do: 'run-before-cutover', from: active.id, generation: next.id, release: next.release },
    { do: 'set-deadline', deadline: 'open-overdue', about: next.id, afterMs: limits.migrateMs + GRACE_MS }
  );
}

/** Migrating: `beforeCutover` has succeeded. The next generation may serve, if it is still there. */
export function openMigrated(state: In<'migrating'>, { about, at }: On<'migrated'>): Step {
  if (state.failing) return giveUpNext(state, { ...state.failing, at });
  return before(
    [{ do: 'clear-deadline', deadline: 'open-overdue', about }, announce('info', 'migrated', { generation: about })],
    openExclusive(state, at)
  );
}

/** Migrating: the next generation is lost. The active one serves again once `beforeCutover` has ended. */
export function failMigrating(state: In<'migrating'>, failing: On<'worker-lost'>): Step {
  return to({ ...state, failing: state.failing ?? failing }, { do: 'cancel-before-cutover' });
}

/** Migrating: `beforeCutover` failed, or was cancelled because the next generation is lost. */
export function giveUpMigrating(state: In<'migrating'>, event: On<'migrate-failed'>): Step {
  return giveUpNext(state, state.failing ? { ...state.failing, at: event.at } : event);
}

function openExclusive(state: In<'quieting' | 'migrating'>, at: number): Step {
  const { next, openedAt: _, phase: __, ...underway } = state;
  return openNext(underway, next, at);
}
