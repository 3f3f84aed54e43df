import type { Release } from '../../core/state/state.ts';
import type { WorkerFacts } from '../../core/status.ts';
import type { Handle } from '../../internals/net.ts';
import type { Moving, ToWorker } from '../../protocol/messages.ts';
import type { PrivateTarget } from '../checks/private-client.ts';
import { explainRefusal } from '../listeners/explain.ts';
import type { Receiver } from '../relay.ts';
import type { Reason } from './family.ts';
import { Listening } from './listening.ts';
import { isServed } from './priority.ts';
import { Recalls } from './recalls.ts';
import { Verification } from './verification.ts';
import type { WorkerMessage } from './worker-process.ts';
import {
  createRecord,
  describeHolders,
  Reports,
  tellWhoCarries,
  toPrivateTarget,
  type WorkerRecord
} from './worker-record.ts';
import type { WorkersPorts } from './workers-ports.ts';

/** Every worker process and the conversation with it. What a worker says becomes news for the core. */
export class Workers {
  readonly #records = new Map<string, WorkerRecord>();
  readonly #reports = new Reports();
  readonly #recalls = new Recalls();
  readonly #listening: Listening;
  readonly #verification: Verification;
  readonly #ports: WorkersPorts;

  constructor(ports: WorkersPorts) {
    this.#ports = ports;
    const records = () => [...this.#records.values()];
    const lend = (record: WorkerRecord, key: string) => this.#lend(record, key);
    this.#listening = new Listening({
      ...ports,
      records,
      lend,
      onGarbage: (worker, what) => this.#tellGarbage(worker, what),
      restorePaths: () => this.#verification.paths.restore(),
      onChange: (record) => this.#checkReady(record),
      onUnfit: ({ id: worker }, why, fix) => ports.post({ type: 'worker-unfit', worker, why, fix, at: ports.now() })
    });
    this.#verification = new Verification({ ...ports, records, listening: this.#listening, lend });
  }

  fork(worker: string, generation: number, release: Release): void {
    const process = this.#ports.start(worker, generation, release, {
      onMessage: (message, handle) => this.#onMessage(record, message, handle),
      onAppMessage: (message) =>
        message === 'ready' ? this.#listening.onSignal(record) : this.#ports.onAppMessage(worker, message),
      onGarbage: (what) => this.#tellGarbage(worker, what),
      onDown: () => this.#ports.post({ type: 'worker-down', worker, at: this.#ports.now() }),
      onGone: (reason) => this.#onGone(record, reason),
      progress: () => ({ early: !record.ready, bindFailure: record.bindFailure })
    });
    const isBeside = generation !== this.#ports.active() && isServed(this.#records.values());
    if (isBeside) process.priority.boot(this.#ports.readinessOf(generation).readyTimeout);
    const record = createRecord(worker, generation, process);
    this.#records.set(worker, record);
    void this.#verification.paths.restore(); // a path that is gone need not be so until the next cutover
  }

  /** Lends a worker what it accepts on: the listeners of its servers, and all that were named with `--listen`. */
  accept(worker: string): void {
    const record = this.#records.get(worker);
    if (!record) return;
    const { ready, ramp } = this.#ports.readinessOf(record.generation);
    if (!record.served && isServed(this.#records.values())) record.process.priority.start(ramp);
    Object.assign(record, { serving: true, served: true, accepted: false });
    const keys = this.#listening.toLend(record);
    for (const key of keys) record.opening.add(key);
    for (const key of keys) this.#lend(record, key);
    if (keys.size === 0 && ready === 'signal') this.#accepted(record);
    void this.#reports.ask(record);
  }

  pause(worker: string, receivers: boolean, hurry: boolean): void {
    this.#stopServing(worker)?.process.send({ type: 'pause', receivers, hurry });
  }

  /** Lets a worker finish what is in flight and keep the rest unread. Its copies of the listeners outlive the supervisor. */
  hold(worker: string, yields: boolean): void {
    const record = this.#stopServing(worker);
    if (!record) return;
    record.process.send({ type: 'hold', yields });
    for (const key of record.keys.keys()) this.#lend(record, key, 'keep');
  }

  drain(worker: string, receivers: boolean): void {
    const { serving = false } = this.#records.get(worker) ?? {};
    const record = this.#stopServing(worker);
    if (!record) return;
    if (!serving) record.process.priority.end();
    record.process.ended.abort();
    record.process.send({ type: 'drain', receivers });
    this.#reports.poll(record, () => this.#records.has(worker));
  }

  setWhileActive = (worker: string, type: 'activate' | 'deactivate') => this.#send(worker, { type });
  signal = (worker: string, signal: 'SIGTERM' | 'SIGKILL') => this.#records.get(worker)?.process.signal(signal);

  has = (worker: string): boolean => this.#records.has(worker);
  /** Closes the addresses that nobody needs any more. */
  sweep = (): void => this.#listening.sweep();
  /** What it was last known to be busy with. */
  holders = (worker: string): object => describeHolders(this.#records.get(worker));

  deliver(worker: string, moving: Moving & { last: boolean }, handle: Handle, onFailed: () => void): void {
    const record = this.#records.get(worker);
    if (record) record.process.send({ type: 'adopt', ...moving }, handle, (sent) => sent || onFailed());
    else onFailed();
  }
  confirm = (worker: string, id: string, busy: number) => this.#send(worker, { type: 'moved', id, busy });

  /** The workers of a generation, to be asked privately. */
  targetsOf = (generation: number): PrivateTarget[] =>
    this.#recordsOf(generation).flatMap((record) => toPrivateTarget(record, this.#ports.plans.lentTo(generation)));

  /** What a generation was asked for lately. */
  recall = (generation: number): Promise<string[]> => this.#recalls.ask(this.#recordsOf(generation));
  asReceiver = (worker: string): Receiver => ({ worker, connections: this.#records.get(worker)?.connections ?? 0 });

  /** Asks every worker for its numbers, all at once. */
  measure = (): Promise<Map<string, WorkerFacts>> => this.#reports.measure([...this.#records.values()]);

  /** Why a generation is not ready, as far as can be seen from outside, and what helps. */
  explainUnready = (generation: number): Promise<Reason> =>
    this.#listening.readiness.explainAll(this.#recordsOf(generation));

  /** Makes sure that every address is answered; `reached` or `unreached` comes of it. */
  verify = (about: number): Promise<void> => this.#verification.verify(about);
  closeUnserved = (): readonly string[] => this.#listening.closeUnserved();

  #onMessage(record: WorkerRecord, message: WorkerMessage, handle: Handle | undefined): void {
    const { id: worker } = record;
    const at = this.#ports.now();
    this.#ports.departed.hear(worker, message);
    switch (message.type) {
      case 'listen':
      case 'listening':
      case 'listen-done':
      case 'unlisten':
      case 'signal':
        return this.#listening.onMessage(record, message);
      case 'carries':
        record.carries = true;
        return;
      case 'rehearsed':
        record.rehearsed = true;
        return this.#checkReady(record);
      case 'expecting':
      case 'expected':
        return this.#verification.reach.onMessage(record, message);
      case 'accepting':
        this.#verification.paths.onAccepting(message.key);
        if (record.opening.delete(message.key) && record.opening.size === 0) this.#accepted(record);
        return;
      case 'accept-failed':
        return this.#refused(record, message.key, message.code);
      case 'left':
        return;
      case 'handed':
      case 'paused':
      case 'quiet':
      case 'inactive':
      case 'drained':
        return this.#ports.post({ type: `worker-${message.type}`, worker, at });
      case 'connection':
        return handle && this.#ports.relay.take(worker, message, handle);
      case 'adopted':
        record.connections += 1;
        return this.#ports.relay.onAdopted(worker, message);
      case 'declined':
        return this.#ports.relay.onDeclined(worker, message.id);
      case 'reported':
        return this.#reports.take(record, message);
      case 'sampled':
        return this.#ports.watchdog?.take(worker, message);
      case 'recalled':
        return this.#recalls.take(message.ask, message.requests);
      case 'uncaught':
        return message.fatal ? this.#ports.watchdog?.onFatal(worker, message.error) : undefined;
      default:
        message satisfies never;
    }
  }

  #tellGarbage(worker: string, reason: string): void {
    this.#ports.announce({ level: 'warn', event: 'garbage', worker, code: 'HANDOVER_ERR_PROTOCOL_MESSAGE', reason });
  }

  /** Posts that a worker can serve, the moment everything that was asked of it is there. */
  #checkReady(record: WorkerRecord): void {
    // Not before everything that the app said in the same breath is heard: its second server may be next.
    setImmediate(() => {
      if (record.ready || !this.#records.has(record.id) || !this.#listening.readiness.isMet(record)) return;
      record.ready = true;
      record.process.priority.restore();
      this.#ports.watchdog?.watch(record);
      this.#ports.post({ type: 'worker-ready', worker: record.id, at: this.#ports.now() });
    });
  }

  #send(worker: string, message: ToWorker): void {
    this.#records.get(worker)?.process.send(message);
  }

  #recordsOf(generation: number): WorkerRecord[] {
    return [...this.#records.values()].filter((record) => record.generation === generation);
  }

  #stopServing(worker: string): WorkerRecord | undefined {
    const record = this.#records.get(worker);
    if (!record) return;
    record.serving = false;
    record.opening.clear();
    tellWhoCarries(record, this.#records.values()); // it is about to let go of its connections
    return record;
  }

  #lend(record: WorkerRecord, key: string, type: 'accept' | 'keep' = 'accept'): void {
    const listener = this.#ports.listeners.find(key);
    if (listener) record.process.send({ type, key }, listener.handle);
  }

  #accepted(record: WorkerRecord): void {
    record.accepted = true;
    this.#listening.onAccepting(record);
    this.#ports.post({ type: 'worker-accepting', worker: record.id, at: this.#ports.now() });
    this.#ports.relay.onReceiver();
  }

  #refused(record: WorkerRecord, key: string, errno: string): void {
    // ENOSERVER: closed meanwhile. The app may have probed the port, and the real server comes.
    if (!record.opening.delete(key) || errno === 'ENOSERVER') return;
    const { code, why } = explainRefusal(errno, this.#ports.listeners.find(key));
    this.#ports.post({ type: 'worker-refused', worker: record.id, code, why, at: this.#ports.now() });
  }

  #onGone(record: WorkerRecord, { why, fix }: Reason): void {
    this.#records.delete(record.id);
    this.#ports.watchdog?.forget(record.id);
    this.#ports.post({ type: 'worker-exited', worker: record.id, why, fix, at: this.#ports.now() });
    this.#ports.relay.onGone(record.id);
    this.#listening.onGone(record);
  }
}
