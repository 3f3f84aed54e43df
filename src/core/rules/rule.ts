import type { Effect, Event, EventType, In, Notice, Phase, State, Step } from '../model.ts';

export type On<T extends EventType> = Event & { type: T };
export type Rule<P extends Phase, T extends EventType> = (state: In<P>, event: On<T>) => Step;

/** The event means nothing in this phase. */
export function ignore(state: State): Step {
  return { state, effects: [] };
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
