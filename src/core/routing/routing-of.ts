import { isCovering } from '../rules/cover.ts';
import { activeOf, canAccept, rolesOf } from '../state/generations.ts';
import type { Generation, State, Worker } from '../state/state.ts';
import type { OldAssets, Pins, Routing, Shares } from './choose.ts';

/** By what the workers of a generation find who answers a request; null where all that they get is theirs. */
export function routingOf(state: State, generation: number): Routing | null {
  const routing = {
    shares: sharesOf(state, generation),
    pins: pinsOf(state, generation),
    oldAssets: oldAssetsOf(state, generation)
  };
  return Object.values(routing).every((one) => one === null) ? null : routing;
}

/**
 * A generation that has answered beside another one, or to which some requests are brought, sends whatever else reaches it to the
 * one that stays: nobody who was answered by that is answered by this one again.
 */
function sharesOf(state: State, generation: number): Shares | null {
  if (state.phase === 'canary') {
    const { active, next, canary } = state;
    if (generation !== active.id && generation !== next.id) return null;
    const { by, always, never } = canary.plan;
    const { share } = canary;
    return { active: active.id, canary: next.id, share, by, always, never, salt: String(next.id) };
  }
  const active = activeOf(state);
  const found = rolesOf(state).find((one) => one.generation.id === generation);
  // What comes to one that is about to take over is its own.
  if (!active || !found || found.role === 'next' || found.role === 'candidate') return null;
  if (!found.generation.isShared && !isAsked(active)) return null;
  const stays = state.phase === 'opening' && state.next.isShared ? state.next : active;
  if (generation === stays.id || isCovering(found.generation)) return null;
  return {
    ...{ active: stays.id, canary: stays.id, share: 0, by: { kind: 'random' }, always: [], never: [] },
    salt: ''
  };
}

/** Whether some requests are brought to other generations than the active one. */
function isAsked({ release: { settings } }: Generation): boolean {
  const { affinity = false, pins = [], oldAssets = [] } = settings ?? {};
  return affinity || pins.length > 0 || oldAssets.length > 0;
}

/** The generations that answer, or may be asked: the active one first. */
function ableOf(state: State): readonly Generation[] {
  const found = [
    activeOf(state),
    'standby' in state ? state.standby : null,
    // It has only just been told to pause.
    state.phase === 'pausing' ? state.leaving : null,
    besideOf(state)
  ];
  return found.filter((one) => one !== null && (one.rejected === null || one === found[0])) as readonly Generation[];
}

/** The generation that answers beside the active one, whatever becomes of it. */
function besideOf(state: State): Generation | null {
  return state.phase === 'canary' || state.phase === 'opening' || state.phase === 'rolling' ? state.next : null;
}

function pinsOf(state: State, generation: number): Pins | null {
  const able = ableOf(state);
  const by = able[0]?.release.settings?.pins ?? [];
  if (by.length === 0 || able.length < 2 || !able.some(({ id }) => id === generation)) return null;
  const generations: Record<string, number> = {};
  // Of two versions with one label, the active one is meant.
  for (const { id, release } of [...able].reverse()) if (release.label !== null) generations[release.label] = id;
  return { by, generations };
}

function oldAssetsOf(state: State, generation: number): OldAssets | null {
  const able = ableOf(state);
  const [active] = able;
  const paths = active?.release.settings?.oldAssets ?? [];
  if (!active || paths.length === 0) return null;
  const beside = besideOf(state);
  const answers = state.phase === 'canary' || beside?.workers.some(({ phase }) => phase === 'accepting');
  // Where two answer, pages of each ask both.
  const other = generation === active.id ? (answers ? beside : able[1]) : generation === beside?.id ? active : null;
  return other ? { paths, generation: other.id } : null;
}

/** What the workers of a generation are told of it, as JSON; empty where they answer all that they get. */
export function writeRouting(state: State, generation: number): string {
  const routing = routingOf(state, generation);
  return routing === null ? '' : JSON.stringify(routing);
}

/** The workers that can answer what is meant for a generation, by its number, or for one worker, by its id. */
export function receiversOf(state: State, to: string): readonly Worker[] {
  const generation = rolesOf(state).find(({ generation: { id } }) => id === Number.parseInt(to, 10))?.generation;
  const able = generation?.workers.filter(canAccept) ?? [];
  return to.includes('.') ? able.filter(({ id }) => id === to) : able;
}
