import type { ToSupervisor } from '../../protocol/messages.ts';
import { overlappedBy } from '../listeners/explain.ts';
import type { Listeners } from '../listeners/listeners.ts';
import type { WorkerRecord } from './worker-record.ts';

/** Binds what an app asked `listen()` for, or finds the listener that holds it, and tells its worker how that went. */
export async function bindFor(
  record: WorkerRecord,
  listeners: Listeners,
  { ask, wanted }: Extract<ToSupervisor, { type: 'listen' }>
): Promise<void> {
  try {
    const { key, address } = await listeners.bind(wanted, false);
    record.process.send({ type: 'bound', ask, key, address });
  } catch (error) {
    const { message, cause } = error as Error;
    const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? 'EADDRINUSE');
    const inTheWay = overlappedBy(error);
    // What another server of the same app has, it could not have under plain Node either.
    const ours = inTheWay !== null && !record.keys.has(inTheWay);
    record.bindFailure = message;
    record.process.send({ type: 'unbound', ask, code, message, ours });
  }
}
