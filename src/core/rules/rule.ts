import type { Effect, Event, EventType, In, Notice, Order, Phase, State, Step } from '../state/state.ts';

export type On<T extends EventType> = Event & { type: T };
export type Rule<P extends Phase, T extends EventType> = (state: In<P>, event: On<T>) => Step;
/** What happens in one phase: an answer to every event. */
export type Row<P extends Phase> = { readonly [T in EventType]: Rule<P, T> };

/** The event means nothing in this phase. */
export function ignore(state: State): Step {
  return { state, effects: [] };
}

/** One rule for several events, named one by one: `tsc` refuses a row in which one is missing. */
export function each<R, const T extends readonly EventType[]>(rule: R, ...types: T): { readonly [E in T[number]]: R } {
  return Object.fromEntries(types.map((type) => [type, rule])) as { readonly [E in T[number]]: R };
}

export function to(state: State, ...effects: Effect[]): Step {
  return { state, effects };
}

/** Adds effects in front of those of a step. */
export function before(effects: readonly Effect[], { state, effects: after }: Step): Step {
  return { state, effects: [...effects, ...after] };
}

export function announce(level: Notice['level'], event: string, details: Omit<Notice, 'level' | 'event'> = {}): Effect {
  return { do: 'announce', notice: { level, event, ...details } };
}

/** An order that has just come. */
export function takeOrder(given: Pick<Order, 'request' | 'kind' | 'strategy' | 'warm' | 'askedAt'>): Order {
  return { ...given, waits: false, heldAt: null, verdict: null, canary: null };
}
