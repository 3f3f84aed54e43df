import type { Account, ErrorCode } from '../../errors.ts';
import { amendChapter } from '../history.ts';
import type { Effect, Generation, In, State, Step } from '../model.ts';
import { ANSWER_MS, discard, retire } from '../retire.ts';
import { failWith, stillActive } from './orders.ts';
import { announce, type On, to } from './rule.ts';

type Failure = On<
  'worker-lost' | 'accept-failed' | 'ready-overdue' | 'check-failed' | 'check-overdue' | 'open-overdue'
>;

interface Verdict {
  readonly code: ErrorCode;
  readonly account: Account;
}

function judge(generation: Generation, active: Generation | null, event: Failure, readyMs: number): Verdict {
  const still = stillActive(active);
  switch (event.type) {
    case 'worker-lost':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_EXITED',
        account: {
          what: `Generation ${generation.id} exited before it was active`,
          why: `worker ${event.worker} ${event.why}`,
          fix: `Mend what it says and try again; ${still}`
        }
      };
    case 'ready-overdue':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_NOT_READY',
        account: {
          what: `Generation ${generation.id} did not become ready in ${readyMs} ms`,
          why: event.why,
          fix: `Let the app call listen() (or ready(), with readiness "signal"), or raise readyTimeout; ${still}`
        }
      };
    case 'check-failed':
      return {
        code: 'HANDOVER_ERR_CANDIDATE_CHECK',
        account: {
          what: `Generation ${generation.id} failed its check ${event.check}`,
          why: event.why,
          fix: `Mend the version, or the check, and try again; ${still}`
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

/** The first generation failed: there is nothing to go on with. */
export function failBoot(state: In<'booting'>, event: Failure): Step {
  const { candidate, request, limits, lastGeneration, retiring, history } = state;
  const { code, account } = judge(candidate, null, event, limits.readyMs);
  const stopping: State = { limits, lastGeneration, retiring, history, phase: 'stopping', requests: [] };
  // Once its workers were told to accept, some may have requests.
  const ended =
    candidate.readyAt === null
      ? discard(stopping, candidate, account.why, event.at)
      : drainFailed(stopping, candidate, account.why, false, event.at);
  return to(ended.state, failWith(state, request, code, account), ...ended.effects, { do: 'close-listeners' });
}

/** Starting: the candidate has never accepted, so it simply ends. The active generation was never touched. */
export function giveUpCandidate(
  state: In<'starting' | 'checking'>,
  event: On<'worker-lost' | 'ready-overdue' | 'check-failed' | 'check-overdue'>
): Step {
  const { candidate, order, active, ...rest } = state;
  const { code, account } = judge(candidate, active, event, state.limits.readyMs);
  const steady: State = { ...rest, phase: 'steady', active, settling: null };
  const ended = discard(steady, candidate, account.why, event.at);
  return to(ended.state, ...failed(state, candidate, order.request, code, account), ...ended.effects);
}

/** Opening: part of the next generation may have accepted already, so it is drained into the active one, which never paused. */
export function giveUpNext(state: In<'opening'>, event: On<'worker-lost' | 'accept-failed' | 'open-overdue'>): Step {
  const { next, order, active, standby, limits, lastGeneration, retiring, history } = state;
  const { code, account } = judge(next, active, event, limits.readyMs);
  const steady = { limits, lastGeneration, retiring, history, phase: 'steady', active, settling: null } as const;
  const effects: Effect[] = [
    ...failed(state, next, order.request, code, account),
    { do: 'clear-deadline', deadline: 'open-overdue', about: next.id }
  ];
  if (order.kind === 'rollback') {
    for (const worker of next.workers) effects.push({ do: 'pause', worker: worker.id, heirs: true });
    const afterMs = limits.keepWarmMs;
    if (Number.isFinite(afterMs)) effects.push({ do: 'set-deadline', deadline: 'warm-over', about: next.id, afterMs });
    return to({ ...steady, standby: next }, ...effects);
  }
  const ended = drainFailed({ ...steady, standby }, next, account.why, true, event.at);
  return to(ended.state, ...effects, ...ended.effects);
}

function drainFailed(state: State, generation: Generation, why: string, heirs: boolean, at: number): Step {
  const ended = retire(state, generation, why, heirs, at);
  return to(
    amendChapter(ended.state, generation.id, { outcome: 'failed', reason: why, endedAt: at }),
    ...ended.effects
  );
}

function failed(
  state: State,
  generation: Generation,
  request: number,
  code: ErrorCode,
  { what, why, fix }: Account
): Effect[] {
  const reason = `${what}: ${why}`;
  return [
    announce('error', 'failed', { generation: generation.id, code, reason }),
    failWith(state, request, code, { what, why, fix })
  ];
}

/** Stopping ends when the last worker has exited. */
export function finish(state: State): Step {
  if (state.phase !== 'stopping' || state.retiring.length > 0) return to(state);
  const { limits, lastGeneration, retiring, history, requests } = state;
  return to(
    { limits, lastGeneration, retiring, history, phase: 'stopped' },
    announce('info', 'stopped'),
    ...requests.map((request): Effect => ({ do: 'answer', request, answer: { ok: true, stopped: true } }))
  );
}
