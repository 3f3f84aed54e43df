import type { Address, ToSupervisor } from '../../protocol/messages.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { showAddress } from '../listeners/explain.ts';
import { Assignment, type AssignmentPorts } from './assignment.ts';
import { Readiness, type ReadinessPorts } from './readiness.ts';
import { isUsing, keysToLend, type WorkerRecord } from './worker-record.ts';

type Said<T extends ToSupervisor['type']> = Extract<ToSupervisor, { type: T }>;

/** How long an address that nobody serves is kept: an app that only tries it may be about to listen there. */
const UNUSED_MS = 1_000;

export interface ListeningPorts extends ReadinessPorts, AssignmentPorts {
  /** Whether {@link Listening.closeUnserved} is still to come for the active generation. */
  isCuttingOver(): boolean;
  /** It may have become ready. */
  onChange(record: WorkerRecord): void;
  lend(record: WorkerRecord, key: string): void;
  onGarbage(worker: string, what: string): void;
}

/** What the servers of all workers listen on: who gets which address, who can serve, and what is served no more. */
export class Listening {
  readonly readiness: Readiness;
  readonly #assignment: Assignment;
  readonly #ports: ListeningPorts;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(ports: ListeningPorts) {
    this.#ports = ports;
    this.readiness = new Readiness(ports);
    this.#assignment = new Assignment(ports);
  }

  onMessage(record: WorkerRecord, message: Said<'listen' | 'listening' | 'listen-done' | 'unlisten' | 'signal'>): void {
    switch (message.type) {
      case 'listen':
        return this.#assignment.onListen(record, message);
      case 'listening':
        return this.#onListening(record, message);
      case 'listen-done':
        return this.#onDone(record, message);
      case 'unlisten':
        return this.#onUnlisten(record, message.key);
      case 'signal':
        return this.onSignal(record);
    }
  }

  #onListening(record: WorkerRecord, { key, secure, preloaded }: Said<'listening'>): void {
    const { listeners, lend, onGarbage } = this.#ports;
    // One that was closed meanwhile is bound again as soon as this worker is to serve. After a stop there is none at all, which
    // workers that were just being started cannot know: nothing to be said.
    if (!listeners.known(key))
      return listeners.had(key) ? undefined : onGarbage(record.id, 'listening.key is no listener');
    record.keys.set(key, { secure, preloaded });
    this.readiness.onListening(record, key);
    this.#assignment.onListening(record, key);
    this.#lookAgain(record);
    if (!record.serving) return;
    listeners.reopen(key);
    if (!record.accepted) record.opening.add(key);
    lend(record, key);
  }

  #onDone(record: WorkerRecord, { ask, refused }: Said<'listen-done'>): void {
    const given = record.asking.get(ask);
    this.#assignment.onDone(record, ask);
    // An address that was only tried is free again at once: the app may go on with one that takes it in.
    if (typeof given === 'string') this.#close(this.#ports.records(), given);
    else this.sweep();
    if (refused) record.refusal = record.bindFailure;
    this.#ports.onChange(record);
  }

  #onUnlisten(record: WorkerRecord, key: string): void {
    const others = this.#ports.records().filter(({ generation }) => generation === record.generation);
    this.readiness.onUnlisten(record, key, others);
    this.sweep();
  }

  onSignal(record: WorkerRecord): void {
    record.signalled = true;
    this.#assignment.onSignal(record);
    this.#ports.onChange(record);
  }

  onAccepting(record: WorkerRecord): void {
    this.readiness.onAccepting(record);
    this.#assignment.onAccepting(record);
  }

  onGone(record: WorkerRecord): void {
    this.#assignment.onGone(record);
    this.sweep();
    const { records, active } = this.#ports;
    const last = !records().some(({ generation }) => generation === record.generation);
    if (last && record.generation !== active()) this.readiness.forget(record.generation);
  }

  /** When it has been waited long enough for what only the active generation serves. */
  #lookAgain(record: WorkerRecord): void {
    const leftMs = this.readiness.leftToWait(record);
    // A timer is measured from the beginning of its turn of the event loop, so that it may come too early.
    if (leftMs > 0) setTimeout(() => this.#lookAgain(record), leftMs).unref();
    else this.#ports.onChange(record);
  }

  /** The listeners that a worker is to accept on; one that was closed meanwhile is bound again. */
  toLend(record: WorkerRecord): Set<string> {
    const { listeners, plans } = this.#ports;
    for (const key of record.keys.keys()) listeners.reopen(key);
    plans.reopen(record.generation);
    const lent = plans.lentTo(record.generation);
    return new Set([...keysToLend(record, lent)].filter((key) => listeners.find(key)));
  }

  /**
   * Closes what the active generation does not serve, after a cutover or when the standby has covered for it. The version
   * before is the standby, and accepts as little there as anywhere: whoever connects is refused, not kept waiting.
   *
   * @returns what was closed, as people write it
   */
  closeUnserved(): readonly string[] {
    const active = this.#ports.active();
    const counts = ({ generation, serving }: WorkerRecord) =>
      generation === active || serving || !this.readiness.hasServed(generation); // a candidate is about to serve
    return this.#close(this.#ports.records().filter(counts));
  }

  /** Whether a version that listens nowhere cannot be one that works; what says itself when it is ready may have no server. */
  hasToListen(generation: number): boolean {
    return this.#ports.readinessOf(generation).ready === 'listening';
  }

  /** The addresses on which the active generation answers, or is to. */
  served(): readonly Address[] {
    const isServed = ({ key, named }: Lent) => named || this.readiness.isServed(key);
    const { plans, active } = this.#ports;
    return plans
      .lentTo(active())
      .filter(isServed)
      .map(({ address }) => address);
  }

  /**
   * Closes what nobody listens on any more, unless somebody is about to. What a handover gives up is left to
   * {@link closeUnserved}, which says so.
   */
  sweep(): void {
    clearTimeout(this.#sweeping);
    this.#sweeping = setTimeout(() => {
      const records = this.#ports.records();
      const isTried = records.some(({ asking }) => asking.size > 0);
      if (isTried || this.#ports.isCuttingOver()) return this.sweep();
      this.#close(records);
    }, UNUSED_MS).unref();
  }

  /** Closes what none of these workers uses: all of it, or one listener. */
  #close(records: readonly WorkerRecord[], only?: string): readonly string[] {
    const { listeners, plans } = this.#ports;
    const isUsed = (key: string) => records.some((record) => isUsing(record, key));
    const isUnserved = ({ key }: Lent) => !plans.isNamed(key) && !isUsed(key) && !this.readiness.isServed(key);
    const unserved = listeners.held.filter((one) => (only ?? one.key) === one.key && isUnserved(one));
    for (const { key } of unserved) listeners.release(key);
    return unserved.map(({ address }) => showAddress(address));
  }
}
