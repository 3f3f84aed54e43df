import { reconcileCover } from './cover.ts';
import { reconcileDuty } from './duty.ts';
import type { Event, EventType, In, News, Phase, State, Step } from './model.ts';
import { endDraining, hurry } from './retire.ts';
import * as handover from './rules/handover.ts';
import * as orders from './rules/orders.ts';
import * as outcome from './rules/outcome.ts';
import { ignore, type Rule } from './rules/rule.ts';
import { foldWorker, restartWorkers } from './workers.ts';

/**
 * The whole handover: what happens if this event arrives in that phase.
 *
 * `tsc` refuses an empty cell. `ignore` is an answer too: the event means nothing there.
 */
export const table: { readonly [P in Phase]: { readonly [T in EventType]: Rule<P, T> } } = {
  booting: {
    'boot-asked': orders.refuseBusy,
    'reload-asked': orders.refuseBusy,
    'rollback-asked': orders.refuseBusy,
    'stop-asked': orders.stop,
    'all-ready': handover.proveFirst,
    proven: handover.acceptProven,
    'check-failed': outcome.failBoot,
    'check-overdue': outcome.failBoot,
    'all-accepting': handover.becomeSteady,
    'all-paused': ignore,
    'all-handed': ignore,
    'worker-lost': outcome.failBoot,
    'accept-failed': outcome.failBoot,
    'ready-overdue': outcome.failBoot,
    'open-overdue': outcome.failBoot,
    'pause-overdue': ignore,
    'hand-overdue': ignore,
    'warm-over': ignore
  },
  steady: {
    'boot-asked': orders.refuseBusy,
    'reload-asked': orders.startCandidate,
    'rollback-asked': orders.rollBack,
    'stop-asked': orders.stop,
    'all-ready': ignore,
    proven: ignore,
    'check-failed': ignore,
    'check-overdue': ignore,
    'all-accepting': ignore,
    'all-paused': ignore,
    'all-handed': handover.settle,
    'worker-lost': ignore,
    'accept-failed': ignore,
    'ready-overdue': ignore,
    'open-overdue': ignore,
    'pause-overdue': ignore,
    'hand-overdue': handover.settle,
    'warm-over': handover.retireStandby
  },
  starting: {
    'boot-asked': orders.refuseBusy,
    'reload-asked': orders.refuseBusy,
    'rollback-asked': orders.refuseBusy,
    'stop-asked': orders.stop,
    'all-ready': handover.checkOrOpen,
    proven: ignore,
    'check-failed': ignore,
    'check-overdue': ignore,
    'all-accepting': ignore,
    'all-paused': ignore,
    'all-handed': ignore,
    'worker-lost': outcome.giveUpCandidate,
    'accept-failed': ignore,
    'ready-overdue': outcome.giveUpCandidate,
    'open-overdue': ignore,
    'pause-overdue': ignore,
    'hand-overdue': ignore,
    'warm-over': handover.retireStandby
  },
  checking: {
    'boot-asked': orders.refuseBusy,
    'reload-asked': orders.refuseBusy,
    'rollback-asked': orders.refuseBusy,
    'stop-asked': orders.stop,
    'all-ready': ignore,
    proven: handover.openProven,
    'check-failed': outcome.giveUpCandidate,
    'check-overdue': outcome.giveUpCandidate,
    'all-accepting': ignore,
    'all-paused': ignore,
    'all-handed': ignore,
    'worker-lost': outcome.giveUpCandidate,
    'accept-failed': ignore,
    'ready-overdue': ignore,
    'open-overdue': ignore,
    'pause-overdue': ignore,
    'hand-overdue': ignore,
    'warm-over': handover.retireStandby
  },
  opening: {
    'boot-asked': orders.refuseBusy,
    'reload-asked': orders.refuseBusy,
    'rollback-asked': orders.refuseBusy,
    'stop-asked': orders.stop,
    'all-ready': ignore,
    proven: ignore,
    'check-failed': ignore,
    'check-overdue': ignore,
    'all-accepting': handover.cutOver,
    'all-paused': ignore,
    'all-handed': ignore,
    'worker-lost': outcome.giveUpNext,
    'accept-failed': outcome.giveUpNext,
    'ready-overdue': ignore,
    'open-overdue': outcome.giveUpNext,
    'pause-overdue': ignore,
    'hand-overdue': ignore,
    'warm-over': handover.retireStandby
  },
  pausing: {
    'boot-asked': orders.refuseBusy,
    'reload-asked': orders.refuseBusy,
    'rollback-asked': orders.refuseBusy,
    'stop-asked': orders.stop,
    'all-ready': ignore,
    proven: ignore,
    'check-failed': ignore,
    'check-overdue': ignore,
    'all-accepting': ignore,
    'all-paused': handover.keepWarm,
    'all-handed': ignore,
    'worker-lost': ignore,
    'accept-failed': ignore,
    'ready-overdue': ignore,
    'open-overdue': ignore,
    'pause-overdue': handover.keepWarmUnpaused,
    'hand-overdue': ignore,
    'warm-over': ignore
  },
  stopping: {
    'boot-asked': orders.refuseStopping,
    'reload-asked': orders.refuseStopping,
    'rollback-asked': orders.refuseStopping,
    'stop-asked': orders.joinStop,
    'all-ready': ignore,
    proven: ignore,
    'check-failed': ignore,
    'check-overdue': ignore,
    'all-accepting': ignore,
    'all-paused': ignore,
    'all-handed': ignore,
    'worker-lost': ignore,
    'accept-failed': ignore,
    'ready-overdue': ignore,
    'open-overdue': ignore,
    'pause-overdue': ignore,
    'hand-overdue': ignore,
    'warm-over': ignore
  },
  stopped: {
    'boot-asked': orders.boot,
    'reload-asked': orders.refuseStopping,
    'rollback-asked': orders.refuseStopping,
    'stop-asked': orders.answerStopped,
    'all-ready': ignore,
    proven: ignore,
    'check-failed': ignore,
    'check-overdue': ignore,
    'all-accepting': ignore,
    'all-paused': ignore,
    'all-handed': ignore,
    'worker-lost': ignore,
    'accept-failed': ignore,
    'ready-overdue': ignore,
    'open-overdue': ignore,
    'pause-overdue': ignore,
    'hand-overdue': ignore,
    'warm-over': ignore
  }
};

/** Same state, same news, same answer: the only way the supervisor changes its mind. */
export function step(state: State, news: News): Step {
  const first = begin(state, news);
  const cover = reconcileCover(first.state);
  const duty = reconcileDuty(cover.state);
  const end = outcome.finish(duty.state);
  return { state: end.state, effects: [...first.effects, ...cover.effects, ...duty.effects, ...end.effects] };
}

function begin(state: State, news: News): Step {
  switch (news.type) {
    case 'hurry-asked':
      return hurry(state);
    case 'drain-overdue':
      return endDraining(state, news.about);
    case 'restart-due':
      return restartWorkers(state, news.about);
    default:
      return 'about' in news || 'request' in news ? look(state, news) : follow(state, news);
  }
}

/** News of one worker, then what it means for the whole. */
function follow(state: State, news: Parameters<typeof foldWorker>[1]): Step {
  const folded = foldWorker(state, news);
  let next = folded.state;
  const effects = [...folded.effects];
  for (const event of folded.news) {
    const after = look(next, event);
    next = after.state;
    effects.push(...after.effects);
  }
  return { state: next, effects };
}

function look(state: State, event: Event): Step {
  if ('about' in event && event.about !== subjectOf(state, event.type)) return { state, effects: [] };
  const rule = table[state.phase][event.type] as (state: In<Phase>, event: Event) => Step;
  return rule(state, event);
}

/** The generation that news of this kind is about; news of any other comes late and is dropped. */
function subjectOf(state: State, type: EventType): number | null {
  switch (state.phase) {
    case 'booting':
      return state.candidate.id;
    case 'starting':
    case 'checking':
      return type === 'warm-over' ? (state.standby?.id ?? null) : state.candidate.id;
    case 'opening':
      return type === 'warm-over' ? (state.standby?.id ?? null) : state.next.id;
    case 'pausing':
      return state.leaving.id;
    case 'steady':
      return type === 'warm-over' ? (state.standby?.id ?? null) : (state.settling?.from ?? null);
    default:
      return null;
  }
}
