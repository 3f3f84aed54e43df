import type { Release } from '../../core/state/state.ts';
import type { WorkerFacts } from '../../core/status.ts';
import type { Adopted } from '../../core/take-over.ts';
import type { Handle } from '../../internals/net.ts';
import type { Moving, ToWorker } from '../../protocol/messages.ts';
import type { PrivateTarget } from '../checks/private-client.ts';
import { Claims } from '../claims.ts';
import type { FoundWorker } from '../found-workers.ts';
import type { Knock } from '../links.ts';
import type { Receiver } from '../relay.ts';
import { fillRecord } from './adopt-worker.ts';
import type { Reason } from './family.ts';
import { type Hearing, hear } from './hear.ts';
import { Lending } from './lending.ts';
import { Listening } from './listening.ts';
import { isServed } from './priority.ts';
import { Recalls } from './recalls.ts';
import { Verification } from './verification.ts';
import type { Watch, WorkerProcess } from './worker-process.ts';
import {
  createRecord,
  describeHolders,
  findSecure,
  namesOf,
  Reports,
  tellGone,
  tellServing,
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
  readonly #claims = new Claims();
  /** What the workers hold besides what they accept on. */
  readonly lending: Lending;
  readonly #listening: Listening;
  readonly #verification: Verification;
  readonly #hearing: Hearing;
  readonly #ports: WorkersPorts;

  constructor(ports: WorkersPorts) {
    this.#ports = ports;
    const records = () => [...this.#records.values()];
    this.lending = new Lending(ports.listeners, records);
    const lend = (record: WorkerRecord, key: string) => this.lending.lend(record, key);
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
    this.#hearing = {
      ...{ ports, listening: this.#listening, verification: this.#verification },
      ...{ reports: this.#reports, recalls: this.#recalls, claims: this.#claims },
      checkReady: (record) => this.#checkReady(record),
      onAccepted: (record) => this.#accepted(record)
    };
  }

  fork(worker: string, generation: number, release: Release): void {
    const start = (watch: Watch) => this.#ports.start({ worker, generation, release, watch });
    const record = this.#create(worker, generation, start);
    const { process } = record;
    const isBeside = generation !== this.#ports.active() && isServed(this.#records.values());
    if (isBeside) process.priority.boot(this.#ports.readinessOf(generation).readyTimeout);
    this.lending.begin(record);
    void this.#verification.paths.restore(); // a path that is gone need not be so until the next cutover
  }

  /** Takes over a worker of an earlier supervisor. What is said to it waits until {@link resume}. */
  adopt(worker: string, generation: number, release: Release, found: FoundWorker, said: Adopted): void {
    const record = this.#create(worker, generation, (watch) => this.#ports.adopt(found, release, watch));
    fillRecord(record, found.hello, said);
    Object.assign(record, { routing: null, closesIdle: null });
    record.process.priority.restore();
    if (record.ready) this.#ports.watchdog?.watch(record);
  }

  /** Hears a worker that was taken over. */
  resume(found: FoundWorker): void {
    const record = this.#records.get(found.named.id);
    record?.process.resume(found);
    if (record) this.#checkReady(record);
  }

  #create(worker: string, generation: number, start: (watch: Watch) => WorkerProcess): WorkerRecord {
    const process = start({
      onMessage: (message, handle) => hear(record, message, handle, this.#hearing),
      onAppMessage: (message) =>
        message === 'ready' ? this.#listening.onSignal(record) : this.#ports.onAppMessage(worker, message),
      onGarbage: (what) => this.#tellGarbage(worker, what),
      onDown: () => this.#ports.post({ type: 'worker-down', worker, at: this.#ports.now() }),
      onGone: (reason) => this.#onGone(record, reason),
      progress: () => ({ early: !record.ready, bindFailure: record.bindFailure })
    });
    const record = createRecord(worker, generation, process);
    this.#records.set(worker, record);
    this.#ports.onNamed(namesOf(this.#records.values()));
    return record;
  }

  /** Lends a worker what it accepts on: the listeners of its servers, and all that were named with `--listen`. */
  accept(worker: string): void {
    const record = this.#records.get(worker);
    if (!record) return;
    const { ready, ramp } = this.#ports.readinessOf(record.generation);
    if (!record.served && isServed(this.#records.values())) record.process.priority.start(ramp);
    Object.assign(record, { serving: true, served: true, accepted: false });
    this.#verification.reach.onServing(record);
    const keys = this.#listening.toLend(record);
    for (const key of keys) record.opening.add(key);
    for (const key of keys) this.lending.lend(record, key);
    if (keys.size === 0 && ready === 'signal') this.#accepted(record);
    void this.#reports.ask(record);
  }

  pause(worker: string, how: { receivers: boolean; hurry: boolean; last: boolean }): void {
    this.#stopServing(worker)?.process.send({ type: 'pause', ...how });
  }

  /** Lets a worker finish what is in flight and keep the rest unread. */
  hold(worker: string, yields: boolean): void {
    this.#stopServing(worker)?.process.send({ type: 'hold', yields });
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
  sweep = (): void => this.#listening.sweep(); // what nobody needs any more
  /** What it was last known to be busy with. */
  holders = (worker: string): object => describeHolders(this.#records.get(worker));

  deliver(worker: string, moving: Moving & { last: boolean }, handle: Handle, onFailed: () => void): void {
    const record = this.#records.get(worker);
    if (record) record.process.send({ type: 'adopt', ...moving }, handle, (sent) => sent || onFailed());
    else onFailed();
  }
  /** How requests are routed, by generation, and whether each answer ends its connection. */
  route = (of: (generation: number) => string, end: boolean): void => tellServing(this.#records.values(), of, end);
  confirm = (worker: string, id: string, busy: number) => this.#send(worker, { type: 'moved', id, busy });

  /** The workers of a generation, to be asked privately. */
  targetsOf = (generation: number): PrivateTarget[] =>
    this.#recordsOf(generation).flatMap((record) => toPrivateTarget(record, this.#ports.plans.lentTo(generation)));

  /** What a generation was asked for lately. */
  recall = (generation: number): Promise<string[]> => this.#recalls.ask(this.#recordsOf(generation));
  asReceiver = (worker: string): Receiver => ({ worker, connections: this.#records.get(worker)?.connections ?? 0 });

  /** Asks every worker for its numbers, all at once. */
  measure = (): Promise<Map<string, WorkerFacts>> => this.#reports.measure([...this.#records.values()], this.#claims);

  /** Why a generation is not ready, as far as can be seen from outside, and what helps. */
  explainUnready = (generation: number): Promise<Reason> =>
    this.#listening.readiness.explainAll(this.#recordsOf(generation));

  /** Makes sure that every address is answered; `reached` or `unreached` comes of it. */
  verify = (about: number): Promise<void> => this.#verification.verify(about);
  closeUnserved = (): readonly string[] => this.#listening.closeUnserved();

  /** An address on which a generation speaks TLS; null where it does on none. */
  secureOf = (generation: number): string | null => findSecure(this.#recordsOf(generation), this.#ports.listeners);
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

  /** What workers write waits, and is not lost: somebody else may read it. */
  pauseOutput(): void {
    for (const { process } of this.#records.values()) process.pauseOutput();
  }

  resumeOutput(): void {
    for (const { process } of this.#records.values()) process.resumeOutput();
  }

  /** A worker has opened its link. @returns whether it is one of these */
  onKnock(knock: Knock): boolean {
    const record = this.#records.get(knock.hello.worker);
    if (record?.process.pid !== knock.hello.pid) return false;
    record.process.onKnock(knock);
    return true;
  }

  #accepted(record: WorkerRecord): void {
    record.accepted = true;
    this.#listening.onAccepting(record);
    this.#ports.post({ type: 'worker-accepting', worker: record.id, at: this.#ports.now() });
    this.#ports.relay.onReceiver();
  }

  #onGone(record: WorkerRecord, { why, fix }: Reason): void {
    this.#records.delete(record.id);
    this.#ports.onNamed(namesOf(this.#records.values()));
    this.#ports.watchdog?.forget(record.id);
    tellGone(this.#records.values(), record.id, this.#claims);
    this.#ports.post({ type: 'worker-exited', worker: record.id, why, fix, at: this.#ports.now() });
    this.#ports.relay.onGone(record.id);
    this.#listening.onGone(record);
  }
}
