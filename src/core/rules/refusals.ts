import type { Account, ErrorCode } from '../../errors.ts';
import { activeOf } from '../state/generations.ts';
import type { Effect, Generation, In, News, Order, Rejection, State, Step } from '../state/state.ts';
import { type On, to } from './rule.ts';

export type Asked = On<
  | 'boot-asked'
  | 'reload-asked'
  | 'rollback-asked'
  | 'promote-asked'
  | 'abort-asked'
  | 'retire-asked'
  | 'scale-asked'
  | 'share-asked'
>;

/** The end of every refusal: which generation serves. */
export function stillActive(active: Generation | null): string {
  return active ? `generation ${active.id} is still active` : 'no generation is active';
}

export function failWith(state: State, request: number, code: ErrorCode, account: Account): Effect {
  const active = activeOf(state)?.id ?? null;
  return { do: 'reply', request, reply: { ok: false, code, account, active } };
}

/** Answers an order that it failed, and with it the reloads whose verdict it carries out. */
export function failOrder(state: State, { request, verdict }: Order, code: ErrorCode, account: Account): Effect[] {
  const told = request === null ? [] : [failWith(state, request, code, account)];
  return [...told, ...(verdict ? tellRejected(state, verdict) : [])];
}

/** Answers the reloads that wait for the verdict: their generation was rejected. */
export function tellRejected(state: State, { generation, reason, requests }: Rejection): Effect[] {
  const active = activeOf(state);
  const now = active?.id === generation ? `generation ${generation} is active nevertheless` : stillActive(active);
  const fix =
    active?.id === generation
      ? `Go back with \`handover rollback\`; ${now}`
      : `Mend the version and reload again; ${now}`;
  const account = { what: `Generation ${generation} was rejected`, why: reason, fix };
  return requests.map((request) => failWith(state, request, 'HANDOVER_ERR_CANDIDATE_REJECTED', account));
}

const VERBS = {
  'boot-asked': 'start',
  'reload-asked': 'reload',
  'rollback-asked': 'roll back',
  'promote-asked': 'promote',
  'abort-asked': 'abort',
  'retire-asked': 'retire the standby',
  'scale-asked': 'scale',
  'share-asked': 'change the share',
  'drain-asked': 'drain',
  'undrain-asked': 'undrain'
} as const;

const DOING = {
  booting: 'the first generation is still starting',
  steady: 'the service runs already',
  starting: 'another handover is in progress, its candidate is starting',
  checking: 'another handover is in progress, its candidate is being checked',
  withdrawing: 'another handover is in progress, load balancers are told before it',
  quieting: 'another handover is in progress, the active generation finishes its requests',
  migrating: 'another handover is in progress, beforeCutover runs',
  opening: 'another handover is in progress, it is cutting over',
  canary: 'another handover is in progress, a canary answers its share',
  rolling: 'another handover is in progress, it goes worker by worker',
  pausing: 'another handover is in progress, the generation before is being paused'
} as const;

export function refuseBusy(state: In<keyof typeof DOING>, { request, type }: Asked): Step {
  const early =
    ['starting', 'checking', 'withdrawing', 'canary'].includes(state.phase) ||
    (state.phase === 'rolling' && state.openedAt === null);
  const instead = type === 'reload-asked' && early ? ', or give the candidate up for yours with --supersede' : '';
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_BUSY', {
      what: `Cannot ${VERBS[type]} now`,
      why: DOING[state.phase],
      fix: `Try again when \`handover status\` says steady${instead}; ${stillActive(activeOf(state))}`
    })
  );
}

export type Refused = Asked | Extract<News, { type: 'drain-asked' | 'undrain-asked' }>;

export function refuseStopping(state: State, { request, type }: Refused): Step {
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_STOPPING', {
      what: `Cannot ${VERBS[type]} now`,
      why: state.phase === 'stopped' ? 'no generation runs' : 'the supervisor was asked to stop',
      fix: 'Start it again with `handover run`'
    })
  );
}

/** Refuses `promote` or `abort` where nothing is baking or starting. */
export function refuseNothingWaits(state: State, { request, type }: Asked): Step {
  return to(
    state,
    failWith(state, request, 'HANDOVER_ERR_REFUSED_NOT_BAKING', {
      what: `Cannot ${VERBS[type]}`,
      why: 'no generation is baking, and no candidate is starting',
      fix: `${type === 'abort-asked' ? 'To go back: `handover rollback`' : 'Look at `handover status`'}; ${stillActive(activeOf(state))}`
    })
  );
}
