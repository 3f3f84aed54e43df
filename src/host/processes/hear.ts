import type { Handle } from '../../internals/net.ts';
import type { Claims } from '../claims.ts';
import { explainRefusal } from '../listeners/explain.ts';
import type { Listening } from './listening.ts';
import type { Recalls } from './recalls.ts';
import type { Verification } from './verification.ts';
import type { WorkerMessage } from './worker-process.ts';
import type { Reports, WorkerRecord } from './worker-record.ts';
import type { WorkersPorts } from './workers-ports.ts';

/** What has to do with what workers say. */
export interface Hearing {
  readonly ports: WorkersPorts;
  readonly listening: Listening;
  readonly verification: Verification;
  readonly reports: Reports;
  readonly recalls: Recalls;
  readonly claims: Claims;
  /** It may have become ready. */
  checkReady(record: WorkerRecord): void;
  /** It accepts on all that it was told to. */
  onAccepted(record: WorkerRecord): void;
}

/** Brings what a worker says to whoever has to do with it; news goes to the core. */
export function hear(record: WorkerRecord, message: WorkerMessage, handle: Handle | undefined, parts: Hearing): void {
  const { ports, listening, verification, reports, recalls, claims } = parts;
  const { id: worker } = record;
  const at = ports.now();
  ports.departed.hear(worker, message);
  switch (message.type) {
    case 'listen':
    case 'listening':
    case 'listen-done':
    case 'unlisten':
    case 'signal':
      return listening.onMessage(record, message);
    case 'claim':
      return claims.claim(worker, message.values);
    case 'whose':
      // Not before what others have said in the same turn is heard: one of them may have just given it to a client.
      setImmediate(() => {
        const owner = claims.ask(message.value, message.claims ? worker : null);
        record.process.send({ type: 'owner', ask: message.ask, worker: owner });
      });
      return;
    case 'carries':
      record.carries = true;
      return;
    case 'rehearsed':
      record.rehearsed = true;
      return parts.checkReady(record);
    case 'expecting':
    case 'expected':
      return verification.reach.onMessage(record, message);
    case 'accepting':
      verification.paths.onAccepting(message.key);
      if (record.opening.delete(message.key) && record.opening.size === 0) parts.onAccepted(record);
      return;
    case 'accept-failed':
      return refuse(record, message.key, message.code, ports);
    case 'left':
      return;
    case 'handed':
    case 'paused':
    case 'quiet':
    case 'inactive':
    case 'drained':
      return ports.post({ type: `worker-${message.type}`, worker, at });
    case 'connection':
      return handle && ports.relay.take(worker, message, handle);
    case 'adopted':
      record.connections += 1;
      return ports.relay.onAdopted(worker, message);
    case 'declined':
      return ports.relay.onDeclined(worker, message.id);
    case 'reported':
      return reports.take(record, message);
    case 'sampled':
      return ports.watchdog?.take(worker, message);
    case 'recalled':
      return recalls.take(message.ask, message.requests);
    case 'uncaught':
      return message.fatal ? ports.watchdog?.onFatal(worker, message.error) : undefined;
    default:
      message satisfies never;
  }
}

function refuse(record: WorkerRecord, key: string, errno: string, ports: WorkersPorts): void {
  // ENOSERVER: closed meanwhile. The app may have probed the port, and the real server comes.
  if (!record.opening.delete(key) || errno === 'ENOSERVER') return;
  const { code, why } = explainRefusal(errno, ports.listeners.find(key));
  ports.post({ type: 'worker-refused', worker: record.id, code, why, at: ports.now() });
}
