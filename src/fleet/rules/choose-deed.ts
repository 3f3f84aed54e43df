import type { Goal } from './goal.ts';
import type { Deed, MemberState } from './member-state.ts';
import { isStartable, type Target } from './target.ts';

/**
 * How a machine gets to where it is to go: back to what is kept warm, if there is that, else by a deploy.
 *
 * @returns null where there is nothing that could be done
 */
export function chooseDeed({ running, outcome }: MemberState, doc: Goal, { way, release }: Target): Deed | null {
  const about = { deploy: doc.id, attempt: doc.attempt, way, from: running.generation, to: null };
  if (way === 'forth') return { ...about, do: 'deploy' };
  const ranIt = running.label === doc.release.label;
  const { standby } = running;
  const fits = release === null || standby?.label === release.label;
  if (ranIt && standby && standby.label !== doc.release.label && fits) return { ...about, do: 'roll-back' };
  const before = outcome?.deploy === doc.id ? outcome.from : null;
  if (ranIt && before !== null && before !== running.generation) return { ...about, do: 'go-back-to', to: before };
  return isStartable(release) ? { ...about, do: 'deploy' } : null;
}

/** Going back to what is kept warm takes nobody away: it needs no permit. */
export function isWarm({ do: what }: Deed): boolean {
  return what === 'roll-back';
}
