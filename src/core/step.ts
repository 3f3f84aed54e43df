import { derive } from './derived.ts';
import { drain, undrain, undrainInTime } from './rules/drained.ts';
import { type Asked, refuseStopping } from './rules/refusals.ts';
import { endDraining, hurry } from './rules/retire.ts';
import { relieveMemory } from './rules/retire-standby.ts';
import { stopNow } from './rules/stop.ts';
import { restartWorkers } from './rules/worker-exits.ts';
import { foldWorker } from './rules/worker-news.ts';
import { settleLimits } from './state/generations.ts';
import type { Event, EventType, In, News, Phase, State, Step } from './state/state.ts';
import { table } from './table.ts';

/** Applies news to the state: a pure function, and the only place where the state changes. */
export function step(state: State, news: News): Step {
  const { state: next, effects } = apply(state, news);
  return derive({ state: settleLimits(next), effects }, news.at);
}

function apply(state: State, news: News): Step {
  switch (news.type) {
    case 'hurry-asked':
      return state.plannedStop ? stopNow(state, news.at) : hurry(state);
    case 'stop-due':
      return stopNow(state, news.at);
    case 'drain-asked':
      return drain(state, news);
    case 'undrain-asked':
      return undrain(state, news);
    case 'undrain-due':
      return undrainInTime(state);
    case 'memory-low':
      return relieveMemory(state, news.share, news.at);
    case 'drain-overdue':
      return endDraining(state, news.about);
    case 'restart-due':
      return restartWorkers(state, news.about);
    default:
      return 'about' in news || 'request' in news ? applyRule(state, news) : applyWorkerNews(state, news);
  }
}

/** Applies news of one worker, then the news for the table that come of it. */
function applyWorkerNews(state: State, news: Parameters<typeof foldWorker>[1]): Step {
  const folded = foldWorker(state, news);
  let next = folded.state;
  const effects = [...folded.effects];
  for (const event of folded.news) {
    const after = applyRule(next, event);
    next = after.state;
    effects.push(...after.effects);
  }
  return { state: next, effects };
}

function applyRule(state: State, event: Event): Step {
  if ('about' in event && event.about !== subjectOf(state, event.type)) return { state, effects: [] };
  // Until the stop that load balancers are told of, the service goes on as it is.
  if (state.plannedStop && isOrder(event)) return refuseStopping(state, event);
  const rule = table[state.phase][event.type] as (state: In<Phase>, event: Event) => Step;
  return rule(state, event);
}

function isOrder(event: Event): event is Asked {
  return 'request' in event && event.type !== 'stop-asked';
}

/** The generation that events of this type must be about in this state; events about another come late and are dropped. */
function subjectOf(state: State, type: EventType): number | null {
  if (type === 'warm-over') return 'standby' in state ? (state.standby?.id ?? null) : null;
  switch (state.phase) {
    case 'booting':
    case 'starting':
    case 'checking':
    case 'withdrawing':
      return state.candidate.id;
    case 'quieting':
    case 'rolling':
      return ['all-quiet', 'quiet-overdue', 'pause-overdue'].includes(type) ? state.active.id : state.next.id;
    case 'migrating':
    case 'opening':
    case 'canary':
      return state.next.id;
    case 'pausing':
      return state.leaving.id;
    case 'steady':
      return type === 'all-handed' || type === 'hand-overdue' ? (state.completing?.from ?? null) : state.active.id;
    default:
      return null;
  }
}
