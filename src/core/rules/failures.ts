import type { Account, ErrorCode } from '../../errors.ts';
import { commonOf } from '../state/generations.ts';
import { amendEntry } from '../state/history.ts';
import type { Abandoned, Effect, Generation, In, State, Step } from '../state/state.ts';
import type { SteadyStep } from './bake-period.ts';
import { isHeld, resume } from './hold.ts';
import { failOrder, failWith, stillActive } from './refusals.ts';
import { ANSWER_MS, discard, retire } from './retire.ts';
import { announce, type On, to } from './rule.ts';

/** Why a candidate, or a next generation, does not become active. */
type Failure =
  | On<'worker-lost' | 'accept-failed' | 'ready-overdue' | 'check-failed' | 'check-overdue' | 'open-overdue' | 'unfit'>
  | On<'quiet-overdue' | 'migrate-failed'>
  | { readonly type: 'covered'; readonly why: string; readonly at: number }
  | Abandoned;

const READY_FIX = 'Let the app call listen() (or ready(), with readiness "signal"), or raise readyTimeout';

/** A `readyTimeout` up to this was probably meant in seconds. */
const SHORT_MS = 600;
const SHORT_FIX = '. A readyTimeout without a unit is in milliseconds: write "30s" for seconds';

interface FailureReport {
  readonly code: ErrorCode;
  readonly account: Account;
}

function explainFailure(
  generation: Generation,
  active: Generation | null,
  event: Failure,
  readyMs: number
): FailureReport {
  const still = stillActive(active);
  const shortFix = readyMs <= SHORT_MS ? SHORT_FIX : '';
  switch (event.type) {
    case 'worker-lost':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_EXITED',
        account: {
          what: `Generation ${generation.id} exited before it was active`,
          why: `worker ${event.worker} ${event.why}`,
          fix: `${event.fix ?? 'Mend what it says and try again'}; ${still}`
        }
      };
    case 'ready-overdue':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_NOT_READY',
        account: {
          what: `Generation ${generation.id} did not become ready in ${readyMs} ms`,
          why: event.why,
          fix: `${event.fix ?? READY_FIX}${shortFix}; ${still}`
        }
      };
    case 'unfit':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_NOT_READY',
        account: {
          what: `Generation ${generation.id} cannot serve`,
          why: `worker ${event.worker}: ${event.why}`,
          fix: `${event.fix}; ${still}`
        }
      };
    case 'check-failed':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_CHECK',
        account: {
          what: `Generation ${generation.id} failed its check ${event.check}`,
          why: event.why,
          fix: `Mend the version or the check, or raise readyTimeout, and try again${shortFix}; ${still}`
        }
      };
    case 'check-overdue':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_CHECK',
        account: {
          what: `Generation ${generation.id} could not be checked`,
          why: 'its checks and its warm-up took longer than all their timeouts together',
          fix: `Look for what hangs in the checks; ${still}`
        }
      };
    case 'accept-failed':
      return {
        code: event.code,
        account: {
          what: `Generation ${generation.id} could not accept connections`,
          why: `worker ${event.worker}: ${event.why}`,
          fix: `Free the address and try again; ${still}`
        }
      };
    case 'quiet-overdue':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_CUTOVER',
        account: {
          what: `Generation ${generation.id} was given up before the cutover`,
          why: `generation ${active?.id} still had requests in flight after the drain timeout`,
          fix: `Look for what holds it (\`handover status\` during a reload), or raise drainTimeout; ${still}`
        }
      };
    case 'abandoned':
      return { code: 'HANDOVER_ERR_CANDIDATE_ABANDONED', account: giveUpAccount(generation, active, event.why) };
    case 'covered':
    case 'migrate-failed':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_CUTOVER',
        account: {
          what: `Generation ${generation.id} was given up before the cutover`,
          why: event.type === 'covered' ? event.why : `beforeCutover failed: ${event.why}`,
          fix: `Mend what it says and try again; ${still}`
        }
      };
    case 'open-overdue':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_NOT_ACCEPTING',
        account: {
          what: `Generation ${generation.id} did not begin to accept connections`,
          why: `not all of its workers answered within ${ANSWER_MS} ms; its event loop may be blocked`,
          fix: `Look for work that blocks after start-up; ${still}`
        }
      };
  }
}

/** Whether a check failed because its worker has died: its exit, which comes next, explains the failure better. */
function isExplainedByExit({ workers }: Generation, { type }: Failure): boolean {
  return type === 'check-failed' && workers.some(({ phase }) => phase === 'down');
}

/** The first generation failed: the supervisor stops. */
export function failBoot(state: In<'booting'>, event: Failure): Step {
  const { candidate, request, limits } = state;
  if (isExplainedByExit(candidate, event)) return to(state);
  const { code, account } = explainFailure(candidate, null, event, limits.readyMs);
  const stopping: State = { ...commonOf(state), phase: 'stopping', requests: [] };
  // Workers that were told to accept may have requests, so they are drained.
  const ended =
    candidate.readyAt === null
      ? discard(stopping, candidate, account.why, event.at)
      : drainFailed(stopping, candidate, account.why, false, event.at);
  return to(ended.state, failWith(state, request, code, account), ...ended.effects, { do: 'close-listeners' });
}

/** Starting or checking: the candidate fails. It has never accepted, so it is ended without a drain. */
export function giveUpCandidate(
  state: In<'starting' | 'checking' | 'withdrawing'>,
  event: On<'worker-lost' | 'ready-overdue' | 'unfit' | 'check-failed' | 'check-overdue'>
): Step {
  const { candidate, active, limits } = state;
  if (isExplainedByExit(candidate, event)) return to(state);
  return endCandidate(state, explainFailure(candidate, active, event, limits.readyMs), event.at);
}

function giveUpAccount({ id }: Generation, active: Generation | null, why: string): Account {
  return { what: `Generation ${id} was given up`, why, fix: `Reload again when you want it; ${stillActive(active)}` };
}

/** Gives up a candidate that is not wanted any more. */
export function abandon(state: In<'starting' | 'checking' | 'withdrawing'>, why: string, at: number): SteadyStep {
  const { candidate, active } = state;
  const account = giveUpAccount(candidate, active, why);
  const ended = endCandidate(state, { code: 'HANDOVER_ERR_CANDIDATE_ABANDONED', account }, at);
  return ended as SteadyStep;
}

function endCandidate(
  state: In<'starting' | 'checking' | 'withdrawing'>,
  { code, account }: FailureReport,
  at: number
): Step {
  const { candidate, order, active, standby } = state;
  const steady: State = { ...commonOf(state), ...steadyWith(active, standby) };
  const ended = discard(steady, candidate, account.why, at);
  return to(
    ended.state,
    announceFailure(candidate, code, account),
    ...failOrder(state, order, code, account),
    ...(state.phase === 'withdrawing' ? [endTelling(candidate.id)] : []),
    ...ended.effects
  );
}

function endTelling(about: number): Effect {
  return { do: 'clear-deadline', deadline: 'withdraw-over', about };
}

/** The part of a steady state that says that nothing is in progress. */
export function steadyWith(active: Generation, standby: Generation | null) {
  return { phase: 'steady', active, standby, completing: null, bake: null, scaling: null } as const;
}

/**
 * Gives up the next generation. Some of its workers may have accepted already, so it is drained into the active one,
 * which never paused, or serves again now.
 */
export function giveUpNext(
  state: In<'opening' | 'rolling' | 'quieting' | 'migrating' | 'canary'>,
  event: Failure
): Step {
  const { next, order, standby, limits } = state;
  if (isExplainedByExit(next, event)) return to(state);
  const { code, account } = explainFailure(next, state.active, event, limits.readyMs);
  const stopped = isHeld(state) || state.phase === 'rolling';
  const { generation: active, effects: resuming } = stopped
    ? resume(state.active)
    : { generation: state.active, effects: [] };
  const steady = { ...commonOf(state), ...steadyWith(active, standby) };
  const effects: Effect[] = [
    ...resuming,
    announceFailure(next, code, account),
    ...failOrder(state, order, code, account),
    { do: 'clear-deadline', deadline: 'open-overdue', about: next.id },
    { do: 'clear-deadline', deadline: 'quiet-overdue', about: active.id },
    { do: 'clear-deadline', deadline: 'pause-overdue', about: active.id }
  ];
  if (state.phase === 'migrating') effects.push({ do: 'cancel-before-cutover' });
  if (state.phase === 'rolling') {
    // Workers of the active generation that had left already are started anew, as replacements are.
    effects.push({ do: 'set-deadline', deadline: 'restart-due', about: active.id, afterMs: 0 });
  }
  if (order.warm) {
    for (const { id } of next.workers) effects.push({ do: 'pause', worker: id, receivers: true, hurry: true });
    const afterMs = limits.keepWarmMs;
    if (Number.isFinite(afterMs)) effects.push({ do: 'set-deadline', deadline: 'warm-over', about: next.id, afterMs });
    return to({ ...steady, standby: next }, ...effects);
  }
  const ended = drainFailed(steady, next, account.why, true, event.at);
  return to(ended.state, ...effects, ...ended.effects);
}

function drainFailed(state: State, generation: Generation, why: string, receivers: boolean, at: number): Step {
  const ended = retire(state, generation, why, receivers, at);
  return to(amendEntry(ended.state, generation.id, { outcome: 'failed', reason: why, endedAt: at }), ...ended.effects);
}

function announceFailure({ id }: Generation, code: ErrorCode, { what, why }: Account): Effect {
  return announce('error', 'failed', { generation: id, code, reason: `${what}: ${why}` });
}
