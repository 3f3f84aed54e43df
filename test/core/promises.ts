import { activeOf, rolesOf } from '../../src/core/state/generations.ts';
import type { Generation, News, Order, State, Step, Worker } from '../../src/core/state/state.ts';

/**
 * What must hold of every single step, whatever the state and the news.
 *
 * @returns the promises that are broken, in words; empty where all is well
 */
export function brokenPromises(before: State, news: News, { state: after, effects }: Step): string[] {
  return [
    ...harmToActive(before, news, { state: after, effects }),
    ...servesBeside(before, { state: after, effects }),
    ...ordersUnanswered(before, news, { state: after, effects }),
    ...numbersReused(before, { state: after, effects }),
    ...workersForgotten(before, news, { state: after, effects }),
    ...whileActiveInTwoVersions({ state: after, effects })
  ];
}

const isOver = (state: State) => state.phase === 'stopping' || state.phase === 'stopped';

/** Every worker that the state knows, with its generation. */
export function workersOf(state: State): Map<string, { worker: Worker; generation: Generation }> {
  const all = rolesOf(state).flatMap(({ generation }) =>
    generation.workers.map((worker) => [worker.id, { worker, generation }] as const)
  );
  return new Map(all);
}

const accepts = ({ phase, told, isLeaving }: Worker) => phase === 'accepting' && told !== 'pause' && !isLeaving;

/** How many workers serve, or were told to and will: what no strategy may go below. */
function serving(state: State): number {
  const next = state.phase === 'rolling' ? state.next.workers : [];
  return [...(activeOf(state)?.workers ?? []), ...next].filter(accepts).length;
}

/** How few may serve in this state, where its strategy allows fewer than all. */
function leastServing(state: State): number {
  if (state.phase !== 'rolling') return 1;
  const { limits, order, next } = state;
  if (order.strategy === 'in-place') return next.size - 1;
  return next.size - Number(limits.maxUnavailable);
}

/** The active generation is never paused, drained or ended while too few others accept, except by a stop. */
function harmToActive(before: State, news: News, { state: after, effects }: Step): string[] {
  const active = activeOf(before);
  if (!active || isOver(after)) return [];
  const receiver = activeOf(after);
  const relieved = receiver?.id !== active.id && receiver?.workers.some((worker) => worker.phase === 'accepting');
  if (relieved) return [];
  const found =
    receiver?.id === active.id
      ? []
      : [`the active generation changed from ${active.id} to ${receiver?.id}, which accepts nothing`];
  for (const effect of effects) {
    if (!['pause', 'drain', 'terminate', 'kill'].includes(effect.do) || !('worker' in effect)) continue;
    const worker = active.workers.find(({ id }) => id === effect.worker);
    if (worker?.phase !== 'accepting') continue;
    // It does not serve, whatever was believed of it: it hangs, or could not accept again.
    if ((news.type === 'worker-hung' || news.type === 'worker-refused') && news.worker === worker.id) continue;
    if (effect.do === 'pause' || effect.do === 'drain') {
      // One worker of several goes alone: by a strategy, for its successor, or because fewer are wanted.
      if (serving(after) >= leastServing(after)) continue;
      const successor = receiver?.workers.find(({ id }) => id === worker.successor);
      if (successor && accepts(successor)) continue;
    }
    found.push(`${effect.do} ${worker.id}, which accepts for the active generation, and too few others do`);
  }
  return found;
}

/** Two versions never serve at the same time where the operator said so. */
function servesBeside(before: State, { state: after, effects }: Step): string[] {
  const accepted = effects.flatMap((effect) => (effect.do === 'accept' ? [effect.worker] : []));
  if (after.phase !== 'opening' || after.order.strategy !== 'exclusive' || before.phase === 'opening') return [];
  const { active, next } = after;
  const loud = active.workers.filter(
    ({ phase, quiet, whileActive }) => phase !== 'down' && (!quiet || whileActive !== 'off')
  );
  return next.workers.some(({ id }) => accepted.includes(id)) && loud.length > 0
    ? [`generation ${next.id} may serve before ${loud.map(({ id }) => id)} came to rest`]
    : [];
}

/** The orders whose answer is still to come. */
export function waitingOrders(state: State): readonly number[] {
  const of = (order: Order | null): (number | null)[] =>
    order ? [order.request, ...(order.verdict?.requests ?? [])] : [];
  const all = (): (number | null)[] => {
    switch (state.phase) {
      case 'booting':
        return [state.request];
      case 'steady':
        return [
          ...of(state.completing),
          ...(state.bake?.waiting ?? []).map(({ request }) => request),
          ...(state.scaling ? [state.scaling.request] : [])
        ];
      case 'stopping':
        return [...state.requests];
      case 'stopped':
        return [];
      default:
        return of(state.order);
    }
  };
  return [...all(), ...(state.plannedStop?.requests ?? [])].filter((request) => request !== null);
}

/** Every order is waiting or answered, once. */
function ordersUnanswered(before: State, news: News, { state: after, effects }: Step): string[] {
  const due = [...waitingOrders(before), ...('request' in news ? [news.request] : [])].sort();
  const answered = effects.flatMap((effect) => (effect.do === 'reply' ? [effect.request] : []));
  const accounted = [...waitingOrders(after), ...answered].sort();
  return String(due) === String(accounted) ? [] : [`orders ${due} were due, and ${accounted} are waiting or answered`];
}

/** Numbers of generations and workers only grow. */
function numbersReused(before: State, { state: after, effects }: Step): string[] {
  const found: string[] = [];
  const known = new Map(rolesOf(before).map(({ generation }) => [generation.id, generation]));
  const ids = rolesOf(after).map(({ generation }) => generation.id);
  if (new Set(ids).size !== ids.length) found.push(`a generation has two roles: ${ids}`);
  for (const id of ids) {
    if (!known.has(id) && id !== before.lastGeneration + 1)
      found.push(`generation ${id} came after ${before.lastGeneration}`);
    if (id > after.lastGeneration) found.push(`generation ${id} is not counted`);
  }
  for (const effect of effects) {
    if (effect.do !== 'fork') continue;
    const last = known.get(effect.generation)?.lastWorker ?? 0;
    if (Number(effect.worker.split('.')[1]) <= last) found.push(`worker ${effect.worker} was forked again`);
  }
  return found;
}

/** Every worker that was started is known until it has exited. */
function workersForgotten(before: State, news: News, { state: after, effects }: Step): string[] {
  const expected = new Set(workersOf(before).keys());
  for (const effect of effects) if (effect.do === 'fork') expected.add(effect.worker);
  if (news.type === 'worker-exited') expected.delete(news.worker);
  const actual = workersOf(after);
  const lost = [...expected].filter((id) => !actual.has(id)).map((id) => `worker ${id} is forgotten`);
  const made = [...actual.keys()].filter((id) => !expected.has(id)).map((id) => `worker ${id} came from nowhere`);
  const left = isOver(after)
    ? [...actual.values()].filter(({ worker }) => !['draining', 'ending', 'down'].includes(worker.phase))
    : [];
  return [...lost, ...made, ...left.map(({ worker }) => `worker ${worker.id} is ${worker.phase} and nobody ends it`)];
}

/** What `whileActive` runs is in one version only, the active one. */
function whileActiveInTwoVersions({ state, effects }: Step): string[] {
  const busy = new Set(
    [...workersOf(state).values()]
      .filter(({ worker }) => worker.whileActive !== 'off')
      .map(({ generation }) => generation.id)
  );
  const found = busy.size > 1 ? [`generations ${[...busy]} run whileActive tasks at once`] : [];
  for (const effect of effects) {
    if (effect.do !== 'activate') continue;
    const at = workersOf(state).get(effect.worker)?.generation.id;
    if (at !== activeOf(state)?.id) found.push(`activate ${effect.worker}, which is not of the active generation`);
  }
  return found;
}

/** Whatever is waited for has a deadline, and no deadline is about somebody who is gone. */
export function brokenDeadlines(state: State, deadlines: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const need = (...names: string[]) => {
    if (!names.some((name) => deadlines.has(name))) found.push(`nothing ends the wait for ${names.join(' or ')}`);
  };
  if (state.phase === 'booting') {
    const { id } = state.candidate;
    need(`ready-overdue ${id}`, `check-overdue ${id}`, `open-overdue ${id}`);
  }
  if (state.phase === 'starting') need(`ready-overdue ${state.candidate.id}`);
  if (state.phase === 'checking') need(`check-overdue ${state.candidate.id}`);
  if (state.phase === 'withdrawing') need(`withdraw-over ${state.candidate.id}`);
  if (state.plannedStop) need('stop-due 0');
  if (state.drained && state.drained.until !== null) need('undrain-due 0');
  if (state.phase === 'quieting') need(`quiet-overdue ${state.active.id}`);
  if (state.phase === 'opening' || state.phase === 'migrating') need(`open-overdue ${state.next.id}`);
  if (state.phase === 'rolling') {
    const { next, active } = state;
    const has = (test: (worker: Worker) => boolean) => next.workers.some(test);
    if (has(({ phase }) => phase === 'starting')) need(`ready-overdue ${next.id}`);
    if (has(({ told }) => told === 'check')) need(`check-overdue ${next.id}`);
    if (has(({ told, phase }) => told === 'accept' && phase === 'ready')) need(`open-overdue ${next.id}`);
    if (active.workers.some(({ told, phase }) => told === 'pause' && phase === 'accepting'))
      need(`pause-overdue ${active.id}`);
  }
  if (state.phase === 'steady' && state.bake) need(`bake-over ${state.active.id}`);
  if (state.phase === 'steady' && state.scaling) need(`scale-overdue ${state.active.id}`);
  if (state.phase === 'canary' && state.canary.plan.holdMs !== null && !state.canary.isLate && !state.next.rejected)
    need(`step-over ${state.next.id}`);
  if (state.phase === 'pausing') need(`pause-overdue ${state.leaving.id}`);
  if (state.phase === 'steady' && state.completing) {
    const { from, to, handed, reached } = state.completing;
    if (!handed) need(`hand-overdue ${from}`);
    if (!reached) need(`reach-overdue ${to}`);
  }
  for (const { role, generation } of rolesOf(state)) {
    if (role === 'retiring') {
      if (generation.workers.some(({ phase }) => phase === 'draining')) need(`drain-overdue ${generation.id}`);
    } else if (role !== 'candidate') {
      const rolls = state.phase === 'rolling' && role !== 'standby';
      const lasting = generation.workers.filter(({ isLeaving, successor }) => !isLeaving && successor === null);
      if (lasting.length < generation.size && !rolls) need(`restart-due ${generation.id}`);
      for (const { id, phase } of generation.workers) {
        if (phase === 'starting' && role !== 'next') need(`worker-overdue ${id}`);
        if (phase === 'draining') need(`leave-overdue ${id}`);
      }
    }
  }
  const about = new Set([...rolesOf(state).map(({ generation }) => String(generation.id)), ...workersOf(state).keys()]);
  if (state.phase === 'steady' && state.completing) about.add(String(state.completing.from));
  if (state.plannedStop || state.drained) about.add('0');
  for (const deadline of deadlines) {
    if (!about.has(deadline.split(' ')[1] ?? '')) found.push(`${deadline} is still set, and nobody is there any more`);
  }
  return found;
}
