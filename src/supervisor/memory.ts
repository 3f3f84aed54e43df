import { rolesOf } from '../core/state/generations.ts';
import type { Release, State } from '../core/state/state.ts';
import type { HeldAddress } from '../host/listeners/listeners.ts';
import type { SavedPlans } from '../host/listeners/plans.ts';

/** What a supervisor wants the next one to know. Its workers keep it: it is as alive as they are. */
export interface Memory {
  /** The state, with the history of those generations only that have a process. */
  readonly state: State;
  readonly addresses: readonly HeldAddress[];
  readonly plans: SavedPlans;
}

/** The same as a worker has it. */
export interface Remembered extends Memory {
  /** Counts up: what one worker has heard last may be older than what another has. */
  readonly sequence: number;
}

/** Raised whenever a memory would be misunderstood by an earlier version of this package. */
const VERSION = 1;
const ENDLESS = { $: 'Infinity' };

/** A memory as text, which is compared with the one before. */
export function writeMemory({ state, addresses, plans }: Memory): string {
  const alive = new Set(rolesOf(state).map(({ generation }) => generation.id));
  const history = state.history.filter(({ generation }) => alive.has(generation));
  const memory = { version: VERSION, state: { ...withoutMeasured(state), history }, addresses, plans };
  return JSON.stringify(memory, (_key, value: unknown) => (value === Number.POSITIVE_INFINITY ? ENDLESS : value));
}

/** What a canary and the version beside it did is measured anew by the next supervisor: it changes all the time, for days maybe. */
function withoutMeasured(state: State): State {
  return state.phase === 'canary' ? { ...state, canary: { ...state.canary, measured: null } } : state;
}

/** Numbers a memory that was written, for the workers. */
export function numberMemory(text: string, sequence: number): string {
  return `${sequence} ${text}`;
}

/** @returns null where it cannot be understood: it is of a later version, or damaged */
export function readMemory(text: string): Remembered | null {
  const releases = new Map<string, Release>();
  try {
    const at = text.indexOf(' ');
    const { version, ...memory } = JSON.parse(text.slice(at + 1), (key, value: unknown) => {
      if (isEndless(value)) return Number.POSITIVE_INFINITY;
      // One release is one object: that two generations come from the same one is told by that.
      return key === 'release' ? intern(releases, value as Release) : value;
    }) as Memory & { version: number };
    const isKnown = version === VERSION && typeof memory.state?.phase === 'string';
    return isKnown ? { ...memory, sequence: Number(text.slice(0, at)) } : null;
  } catch {
    return null; // it was cut off, or never was one
  }
}

function intern(releases: Map<string, Release>, release: Release): Release {
  const text = JSON.stringify(release);
  const known = releases.get(text) ?? release;
  releases.set(text, known);
  return known;
}

function isEndless(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as { $?: unknown }).$ === ENDLESS.$;
}

/** Lets a history that was read from a file, and the generations that run, share their releases. */
export function joinHistories(saved: State['history'], alive: State['history']): State['history'] {
  const known = new Map(alive.map((entry) => [entry.generation, entry]));
  const joined = saved.map((entry) => known.get(entry.generation) ?? entry);
  const missing = alive.filter(({ generation }) => !saved.some((entry) => entry.generation === generation));
  return [...joined, ...missing].sort((a, b) => a.generation - b.generation);
}
