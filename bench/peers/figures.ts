import { measureAutocannon } from './autocannon.ts';
import { type Figures, NO_FIGURES } from './collect.ts';
import { measureDeath } from './death.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import type { System } from './model.ts';
import { type PeersContext, Session } from './session.ts';
import { measureThroughput } from './throughput.ts';

/**
 * Measures everything besides losses. What cannot be measured is null, and why is among the troubles.
 *
 * @param shared figures of a system that is the same but for its deploys: throughput and death are taken from there
 */
export async function measureFigures(
  system: System,
  context: PeersContext,
  shared: Figures | null
): Promise<{ figures: Figures; troubles: readonly string[] }> {
  let figures = NO_FIGURES;
  if (shared) {
    const { keptAliveShare, freshShare, death } = shared;
    figures = { ...figures, keptAliveShare, freshShare, death };
  }
  const troubles: string[] = [];
  const attempt = async (what: string, measure: () => Promise<Partial<Figures>>) => {
    try {
      const measured = await measure();
      figures = { ...figures, ...measured };
    } catch (error) {
      troubles.push(`${what}: ${error instanceof Error ? error.message : error}`);
    }
  };
  if (!shared) await attempt('throughput', () => measureThroughput(system, context));
  await attempt('start', async () => {
    const session = await Session.start(system, context);
    try {
      await attempt('latency', () => measureLatency(session, context));
      await attempt('memory', async () => ({ memory: await measureMemory(session, context) }));
      if (!context.quick)
        await attempt('autocannon', async () => ({ autocannon: await measureAutocannon(session, context) }));
      if (!shared) await attempt('death', async () => ({ death: await measureDeath(system, session, context) }));
    } finally {
      await session.end();
    }
    return {};
  });
  return { figures, troubles };
}
