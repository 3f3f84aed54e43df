import type { Notice } from '../core/state/state.ts';
import { EventHook } from '../host/event-hook.ts';
import type { EventTarget } from '../options/event-target.ts';
import type { Supervisor } from './supervisor.ts';

/** The events that somebody outside is told of: what a person would want to be called for, or to read of later. */
const TOLD: ReadonlySet<string> = new Set([
  'adopted',
  'canary',
  'cutover',
  'failed',
  'memory-low',
  'restart-limit',
  'rollback-impossible',
  'rollback-wanted',
  'started',
  'stopped',
  'verdict',
  'worker-hung'
]);

/**
 * Tells somebody outside of the events that matter. What it does not do in time is not waited for.
 *
 * @returns what settles when all is told, or was given up: to be called at the end of the supervisor
 */
export function tellEvents({ app, notices, warn, onEnd }: Supervisor, target: EventTarget): () => Promise<void> {
  const onFailed = (reason: string) => warn({ level: 'warn', event: 'on-event-failed', reason });
  const hook = new EventHook(target, { env: app.env, onFailed });
  notices.add((notice) => {
    if (!TOLD.has(notice.event)) return;
    hook.tell({ app: app.name, time: new Date().toISOString(), ...notice, text: `${app.name}: ${describe(notice)}` });
  });
  onEnd(() => void hook.close());
  return () => hook.close();
}

function describe({ event, generation, worker, from, to, decision, reason }: Notice): string {
  const about = worker ? ` of worker ${worker}` : generation === undefined ? '' : ` of generation ${generation}`;
  const subject = event === 'cutover' ? ` from generation ${from} to ${to}` : about;
  const how = [decision, reason].filter((part) => part !== undefined).join(', ');
  return `${event}${subject}${how === '' ? '' : `: ${how}`}`;
}
