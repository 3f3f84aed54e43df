import { setTimeout as wait } from 'node:timers/promises';
import type { ListenArguments, ToSupervisor } from '../../protocol/messages.ts';
import { overlappedBy } from '../listeners/explain.ts';
import type { Listener, Listeners } from '../listeners/listeners.ts';
import { refuseReserved } from '../rights/reserved-ports.ts';
import { isUsing, type WorkerRecord } from './worker-record.ts';

/** How long a server waits for what another worker tries at that moment: it is about to be closed, or to be known as used. */
const TRIED_MS = 1_000;
const LOOK_MS = 10;

export interface BindPorts {
  readonly listeners: Listeners;
  /** Every worker there is. */
  records(): readonly WorkerRecord[];
  /** Puts the sockets back whose files are gone. */
  restorePaths(): Promise<unknown>;
}

/** Binds what an app asked `listen()` for, or finds the listener that holds it, and tells its worker how that went. */
export async function bindFor(
  record: WorkerRecord,
  ports: BindPorts,
  { ask, wanted }: Extract<ToSupervisor, { type: 'listen' }>
): Promise<void> {
  try {
    const { key, address } = await bind(record, ports, wanted);
    if (record.asking.has(ask)) record.asking.set(ask, key); // else the app has closed it meanwhile
    // The app or a script of its may have removed the file just now, and what it listens on has to be there.
    if (typeof address === 'string') await ports.restorePaths();
    record.process.send({ type: 'bound', ask, key, address });
  } catch (error) {
    const { message, cause } = error as Error;
    const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? 'EADDRINUSE');
    const inTheWay = overlappedBy(error);
    // What another server of the same app has, it could not have under plain Node either.
    const ours = inTheWay !== null && !isUsing(record, inTheWay);
    record.bindFailure = message;
    record.process.send({ type: 'unbound', ask, code, message, ours });
  }
}

async function bind(record: WorkerRecord, ports: BindPorts, wanted: ListenArguments): Promise<Listener> {
  const { listeners, records } = ports;
  const as = record.process.account;
  refuseReserved(wanted, as);
  const isTried = (key: string) =>
    !isUsing(record, key) &&
    records().some((other) => isUsing(other, key)) &&
    records().every(({ keys }) => !keys.has(key));
  for (const since = performance.now(); ; await wait(LOOK_MS)) {
    try {
      return await listeners.bind(wanted, false, null, as);
    } catch (error) {
      const inTheWay = overlappedBy(error);
      if (inTheWay === null || !isTried(inTheWay) || performance.now() - since > TRIED_MS) throw error;
    }
  }
}
