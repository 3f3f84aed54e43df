import { collect, collectSkipped, type Figures, NO_FIGURES } from './collect.ts';
import { measureFigures } from './figures.ts';
import type { System } from './model.ts';
import type { PeersResult } from './result.ts';
import { type Round, runRound } from './rounds.ts';
import type { PeersContext } from './session.ts';

/** A further round is only begun where it will be over by then: the whole run is to end within twenty minutes. */
const ROUNDS_END_MS = 19 * 60_000;

class Row {
  readonly system: System;
  readonly rounds: Round[] = [];
  readonly troubles: string[] = [];
  figures: Figures = NO_FIGURES;

  constructor(system: System) {
    this.system = system;
  }
}

/**
 * Measures all systems: first a round of each, then the figures of each, then the other rounds, every second one in the
 * opposite order.
 */
export async function compare(
  systems: readonly System[],
  context: PeersContext
): Promise<Pick<PeersResult, 'systems' | 'settings'>> {
  const startedAt = performance.now();
  const absent = new Map(systems.map((system) => [system.id, system.missing()]));
  const rows = systems.filter(({ id }) => !absent.get(id)).map((system) => new Row(system));
  const inContext = ({ system }: Row): PeersContext => ({
    ...context,
    progress: (what) => context.progress(`${system.name}: ${what}`)
  });
  let roundMs = 0;
  const playRound = async (round: number) => {
    const beganAt = performance.now();
    for (const row of round % 2 === 1 ? rows : rows.toReversed()) {
      try {
        row.rounds.push(await runRound(row.system, round, inContext(row)));
      } catch (error) {
        row.troubles.push(`round ${round}: ${error instanceof Error ? error.message : error}`);
      }
    }
    roundMs = performance.now() - beganAt;
  };
  await playRound(1);
  for (const row of rows) {
    const shared = rows.find(({ system }) => system.id === row.system.steadyAs);
    const { figures, troubles } = await measureFigures(row.system, inContext(row), shared?.figures ?? null);
    row.figures = figures;
    row.troubles.push(...troubles);
  }
  let rounds = 1;
  while (rounds < context.settings.rounds && performance.now() - startedAt + roundMs < ROUNDS_END_MS) {
    rounds += 1;
    await playRound(rounds);
  }
  const results = systems.map((system) => {
    const missing = absent.get(system.id);
    if (missing) return collectSkipped(system, missing);
    const { rounds, figures, troubles } = rows.find((row) => row.system === system) ?? new Row(system);
    return collect(system, rounds, figures, troubles);
  });
  return { systems: results, settings: { ...context.settings, rounds } };
}
