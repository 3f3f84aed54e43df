import type { Effect, Generation, In, Order, Step } from '../state/state.ts';
import { beginCanary } from './canary.ts';
import { acceptAll, openNext } from './cutover.ts';
import { ANSWER_MS } from './retire.ts';
import { announce, before, type On, to } from './rule.ts';
import { withdrawFirst } from './withdraw.ts';

/** Booting: every worker of the first generation is ready. It is checked, if there are checks, or told to accept. */
export function checkFirst(state: In<'booting'>, { about, at }: On<'all-ready'>): Step {
  const next = { ...state, candidate: { ...state.candidate, readyAt: at } };
  const { checkMs } = state.limits;
  const step = checkMs === null ? acceptFirst(next) : to(next, ...startChecks(about, checkMs));
  return before([{ do: 'clear-deadline', deadline: 'ready-overdue', about }], step);
}

/** Booting: the first generation has passed its checks. */
export function acceptChecked(state: In<'booting'>, { about }: On<'proven'>): Step {
  return before([{ do: 'clear-deadline', deadline: 'check-overdue', about }], acceptFirst(state));
}

function acceptFirst(state: In<'booting'>): Step {
  const { candidate } = state;
  return to(state, ...acceptAll(candidate), {
    do: 'set-deadline',
    deadline: 'open-overdue',
    about: candidate.id,
    afterMs: ANSWER_MS
  });
}

function startChecks(generation: number, checkMs: number): Effect[] {
  return [
    { do: 'check', generation, worker: null },
    { do: 'set-deadline', deadline: 'check-overdue', about: generation, afterMs: checkMs }
  ];
}

/** Starting: every worker of the candidate is ready. It is checked, if there are checks, or goes on at once. */
export function checkOrOpen(state: In<'starting'>, { about, at }: On<'all-ready'>): Step {
  const { candidate, order } = state;
  const { checkMs } = state.limits;
  const next = { ...candidate, readyAt: at };
  const step =
    checkMs === null
      ? openOrQuieten(state, next, order, at)
      : to({ ...state, phase: 'checking', candidate: next }, ...startChecks(about, checkMs));
  return before(
    [
      { do: 'clear-deadline', deadline: 'ready-overdue', about },
      announce('info', 'ready', { generation: about, tookMs: at - order.askedAt })
    ],
    step
  );
}

/** Checking: the candidate has passed its checks. */
export function openChecked(state: In<'checking'>, { about, at }: On<'proven'>): Step {
  const { candidate, order } = state;
  return before(
    [
      { do: 'clear-deadline', deadline: 'check-overdue', about },
      announce('info', 'proven', { generation: about, tookMs: at - order.askedAt })
    ],
    openOrQuieten(state, candidate, order, at)
  );
}

/**
 * Lets the next generation accept beside the active one, or answer a share first; under `exclusive`, the active one becomes
 * quiet first, and load balancers may be told before.
 */
function openOrQuieten(state: In<'starting' | 'checking'>, next: Generation, order: Order, at: number): Step {
  const { candidate: _, phase: __, ...underway } = state;
  if (order.canary) return beginCanary(underway, next, order.canary, at);
  return order.strategy === 'exclusive' ? withdrawFirst(underway, next, at) : openNext(underway, next, at);
}
