import type { Account, ErrorCode } from '../../errors.ts';
import { activeOf, createGeneration, rolesOf } from '../generations.ts';
import { amendChapter, openChapter } from '../history.ts';
import type { Effect, Generation, In, State, Step } from '../model.ts';
import { discard, retire } from '../retire.ts';
import { openNext, settle } from './handover.ts';
import { announce, type On, to } from './rule.ts';

type Asked = On<'boot-asked' | 'reload-asked' | 'rollback-asked'>;

/** What an operator wants to read at the end of every refusal. */
export function stillActive(active: Generation | null): string {
  return active ? `generation ${active.id} is still active` : 'no generation is active';
}

export function failWith(state: State, request: number, code: ErrorCode, account: Account): Effect {
  const active = activeOf(state)?.id ?? null;
  return { do: 'answer', request, answer: { ok: false, code, account, active } };
}

const VERBS = { 'boot-asked': 'start', 'reload-asked': 'reload', 'rollback-asked': 'roll back' } as const;

export function refuseBusy(
  state: In<'booting' | 'steady' | 'starting' | 'checking' | 'opening' | 'pausing'>,
  { request, type }: Asked
): Step {
  const doing = {
    booting: 'the first generation is still starting',
    steady: 'the service runs already',
    starting: 'another handover is in progress, its candidate is starting',
    checking: 'another handover is in progress, its candidate is being checked',
    opening: 'another handover is in progress, it is cutting over',
    pausing: 'another handover is in progress, the generation before is being paused'
  } as const;
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_BUSY', {
      what: `Cannot ${VERBS[type]} now`,
      why: doing[state.phase],
      fix: `Try again when \`handover status\` says steady; ${stillActive(activeOf(state))}`
    })
  );
}

export function refuseStopping(state: In<'stopping' | 'stopped'>, { request, type }: Asked): Step {
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_STOPPING', {
      what: `Cannot ${VERBS[type]} now`,
      why: state.phase === 'stopping' ? 'the supervisor was asked to stop' : 'no generation runs',
      fix: 'Start it again with `handover run`'
    })
  );
}

/** Starts the first generation. */
export function boot(state: In<'stopped'>, { request, at, release, size }: On<'boot-asked'>): Step {
  const id = state.lastGeneration + 1;
  const { generation, effects } = createGeneration(id, release, size, at);
  const next: State = { ...state, phase: 'booting', candidate: generation, lastGeneration: id, request };
  return to(openChapter(next, generation), ...startingEffects(state, generation, effects));
}

function startingEffects({ limits }: State, generation: Generation, forks: readonly Effect[]): Effect[] {
  const { id, release, size } = generation;
  return [
    announce('info', 'starting', { generation: id, entry: release.file, workers: size }),
    ...forks,
    { do: 'set-deadline', deadline: 'ready-overdue', about: id, afterMs: limits.readyMs }
  ];
}

/** Starts a candidate beside the active generation, which is not touched. */
export function startCandidate(state: In<'steady'>, event: On<'reload-asked'>): Step {
  const { request, at, release, size } = event;
  const settled = settleEarly(state);
  const id = state.lastGeneration + 1;
  const { generation, effects } = createGeneration(id, release, size, at);
  const { settling: _, ...rest } = settled.state;
  const next: State = {
    ...rest,
    phase: 'starting',
    candidate: generation,
    lastGeneration: id,
    order: { request, kind: 'reload', askedAt: at }
  };
  return to(openChapter(next, generation), ...settled.effects, ...startingEffects(state, generation, effects));
}

/** Turns back to the standby. Nothing is started: its workers only have to accept again. */
export function rollBack(state: In<'steady'>, { request, at }: On<'rollback-asked'>): Step {
  const { standby, active } = state;
  const usable = standby?.workers.some(({ phase, covers }) => phase === 'paused' || phase === 'ready' || covers);
  if (!standby || !usable) {
    return to(
      state,
      failWith(state, request, 'HANDOVER_ERR_REFUSED_NO_STANDBY', {
        what: 'Cannot roll back',
        why: standby
          ? `no worker of standby generation ${standby.id} can accept at the moment`
          : 'no earlier generation is kept warm',
        fix: `Reload with the entry of the earlier version instead; ${stillActive(active)}`
      })
    );
  }
  const settled = settleEarly(state);
  const { settling: _, ...rest } = settled.state;
  const opened = openNext({ ...rest, standby: null }, standby, { request, kind: 'rollback', askedAt: at }, at);
  return to(opened.state, ...settled.effects, ...opened.effects);
}

/** An order that comes while the last one's connections still move: that one is answered with what has moved. */
function settleEarly(state: In<'steady'>): { state: In<'steady'>; effects: readonly Effect[] } {
  if (!state.settling) return { state, effects: [] };
  const { effects } = settle(state);
  return { state: { ...state, settling: null }, effects };
}

/** Ends every generation gracefully. An order in progress gets its one answer first. */
export function stop(
  state: In<'booting' | 'steady' | 'starting' | 'checking' | 'opening' | 'pausing'>,
  { request, at, why }: On<'stop-asked'>
): Step {
  const effects: Effect[] = [announce('info', 'stopping', { reason: why }), ...answerInterrupted(state, at)];
  const roles = rolesOf(state).filter(({ role }) => role !== 'retiring');
  const { limits, lastGeneration, retiring, history } = state;
  let next: State = { limits, lastGeneration, retiring, history, phase: 'stopping', requests: [request] };
  for (const { role, generation } of roles) {
    if (role === 'candidate' && generation.readyAt === null) {
      const ended = discard(next, generation, 'the supervisor was asked to stop', at);
      next = ended.state;
      effects.push(...ended.effects);
      continue;
    }
    for (const worker of generation.workers) effects.push({ do: 'pause', worker: worker.id, heirs: false });
    const ended = retire(next, generation, why, false, at);
    next = amendChapter(ended.state, generation.id, { reason: why });
    effects.push(...ended.effects);
  }
  return to(next, ...effects, { do: 'close-listeners' });
}

function answerInterrupted(
  state: In<'booting' | 'steady' | 'starting' | 'checking' | 'opening' | 'pausing'>,
  at: number
): readonly Effect[] {
  if (state.phase === 'steady') return settleEarly(state).effects;
  if (state.phase === 'pausing') {
    const { order, leaving, active, openedAt, acceptedAt } = state;
    const bootMs = order.kind === 'reload' ? openedAt - order.askedAt : 0;
    const times = { bootMs, cutoverMs: at - openedAt, tookMs: acceptedAt - order.askedAt };
    return [
      {
        do: 'answer',
        request: order.request,
        answer: { ok: true, settled: { ...order, from: leaving.id, to: active.id, ...times } }
      }
    ];
  }
  const request = state.phase === 'booting' ? state.request : state.order.request;
  const given = 'candidate' in state ? state.candidate : state.next;
  return [
    failWith(state, request, 'HANDOVER_ERR_CANDIDATE_ABANDONED', {
      what: `Generation ${given.id} was given up`,
      why: 'the supervisor was asked to stop',
      fix: 'Start the supervisor again'
    })
  ];
}

export function joinStop(state: In<'stopping'>, { request }: On<'stop-asked'>): Step {
  return to({ ...state, requests: [...state.requests, request] });
}

export function answerStopped(state: In<'stopped'>, { request }: On<'stop-asked'>): Step {
  return to(state, { do: 'answer', request, answer: { ok: true, stopped: true } });
}
