import { HandoverError } from '../errors.ts';
import type { KeyValue } from './etcd/key-values.ts';
import type { Clock, Store } from './fleet-ports.ts';
import type { Keys } from './keys.ts';
import type { Reader } from './reader.ts';
import type { KnownGoal, MemberEvent } from './rules/member-state.ts';
import { placeInQueue } from './rules/permits.ts';
import { type MachineRecord, type Outcome, readHolder, readMachine, readOutcome } from './rules/records.ts';

/** How long a machine is still there for the others after its last sign of life. */
export const TTL_SECONDS = 20;
const TTL_MS = TTL_SECONDS * 1_000;
const AGAIN_MS = { first: 500, most: 10_000 };

export interface MembershipParts {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly reader: Reader;
  /** What is registered of this machine. */
  record(): MachineRecord;
  post(event: MemberEvent): void;
  /** Told once, until it works again: why this machine is not part of the fleet. */
  onAway(reason: string): void;
  onJoined(): void;
}

/** Keeps this machine registered, under a lease that ends with it, and knows what the fleet is to run. */
export class Membership {
  readonly #parts: MembershipParts;
  #lease: string | null = null;
  /** When the last sign of life that etcd has confirmed was sent. */
  #aliveAt = 0;
  #watching = new AbortController();
  #next: () => void = () => {};
  #waitMs = AGAIN_MS.first;
  #closed = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** Null where there is none, or nobody can know whether it still is. */
  get lease(): string | null {
    return this.#lease !== null && this.#parts.clock.now() - this.#aliveAt < TTL_MS ? this.#lease : null;
  }

  get isOverdue(): boolean {
    return this.#lease !== null && this.lease === null;
  }

  /** Joins, again and again until it works. */
  begin(): void {
    void this.#join().then(
      () => {
        this.#waitMs = AGAIN_MS.first;
      },
      (error) => this.#retry(HandoverError.from(error).message)
    );
  }

  /** The lease is gone, or may be: whatever hangs on it is too, and nothing is begun until there is another one. */
  lose(reason: string): void {
    if (this.#lease === null || this.#closed) return;
    this.#lease = null;
    this.#watching.abort();
    this.#parts.post({ type: 'lease-lost' });
    this.#retry(reason);
  }

  /** Leaves at once, where etcd answers; else the lease ends by itself. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#next();
    this.#watching.abort();
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) await this.#parts.store.revoke(lease).catch(() => {}); // it ends by itself then
  }

  #retry(reason: string): void {
    if (this.#closed) return;
    this.#parts.onAway(reason);
    this.#later(this.#waitMs * (0.5 + this.#parts.clock.draw() / 2), () => this.begin());
    this.#waitMs = Math.min(2 * this.#waitMs, AGAIN_MS.most);
  }

  #later(ms: number, then: () => void): void {
    this.#next();
    this.#next = this.#parts.clock.after(ms, then);
  }

  async #join(): Promise<void> {
    const { store, keys, clock, reader, post, record } = this.#parts;
    const since = clock.now();
    const lease = await store.grant(TTL_SECONDS);
    try {
      const own = record();
      const earlier = await this.#register(own, lease);
      const { kvs, revision } = await store.range(keys.goal, { limit: 1 });
      const goal = reader.goal(kvs.find(({ key }) => key === keys.goal) ?? null);
      const outcome = goal && (await this.#readOutcome(goal, own.machine));
      const isMissing = outcome?.phase === 'deploying' && outcome.slot !== null;
      const slot = isMissing && (await this.#takeOver(keys.permit(outcome.slot), own, lease)) ? outcome.slot : null;
      const place = goal && `${goal.doc.id}/${placeInQueue(goal.doc, { id: own.machine, zone: own.zone })}`;
      const queued = place !== null && (await this.#takeOver(keys.queue + place, own, lease)) ? place : null;
      // Whatever else an earlier supervisor of this machine holds is of no use to anybody.
      if (earlier !== null) await store.revoke(earlier);
      const machines = await store.count(keys.machines);
      if (this.#closed) return await store.revoke(lease);
      this.#lease = lease;
      this.#aliveAt = since;
      this.#watching = new AbortController();
      this.#parts.onJoined();
      post({ type: 'joined', goal, outcome, slot, queued, machines });
      this.#keepBeating();
      void this.#watch(revision + 1, this.#watching.signal);
    } catch (error) {
      await store.revoke(lease).catch(() => {}); // it ends by itself then
      throw error;
    }
  }

  /**
   * Registers, unless another machine has the name: that of a supervisor which was here before is taken over.
   *
   * @returns the lease of that one; null where there was none
   */
  async #register(own: MachineRecord, lease: string): Promise<string | null> {
    const { store, keys, reader } = this.#parts;
    const key = keys.machine(own.machine);
    const found = await store.get(key);
    const other = found && reader.read(found, readMachine);
    if (other && found.lease !== null && !(other.host === own.host && other.socket === own.socket))
      throw taken(own.machine, other);
    const guard = found ? { key, modRevision: found.modRevision } : { key, createRevision: 0 };
    const value = JSON.stringify(own);
    const { succeeded } = await store.txn({ compare: [guard], success: [{ put: key, value, lease }] });
    if (!succeeded) throw taken(own.machine, other);
    return found?.lease ?? null;
  }

  async #readOutcome({ doc }: KnownGoal, machine: string): Promise<Outcome | null> {
    const { store, keys, reader } = this.#parts;
    const found = await store.get(keys.outcome(doc.id, machine));
    return found && reader.read(found, readOutcome);
  }

  /** Takes over what an earlier supervisor of this machine held: its permit, for it is still missing, or its place in the queue. */
  async #takeOver(key: string, { machine }: MachineRecord, lease: string): Promise<boolean> {
    const { store, reader } = this.#parts;
    const found = await store.get(key);
    if (found === null || reader.read(found, readHolder)?.machine !== machine) return false;
    const guard = { key, modRevision: found.modRevision };
    const { succeeded } = await store.txn({ compare: [guard], success: [{ put: key, value: found.value, lease }] });
    return succeeded;
  }

  /** A little sooner or later each time: machines that came together, as after an etcd that was away, do not come together for ever. */
  #keepBeating(): void {
    this.#later((TTL_MS / 3) * (0.9 + this.#parts.clock.draw() / 5), () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { store, clock } = this.#parts;
    const lease = this.#lease;
    if (lease === null) return;
    const at = clock.now();
    try {
      const kept = await store.keepAlive(lease);
      if (lease !== this.#lease) return;
      if (kept === null) return this.lose('its lease ended: etcd heard nothing of this machine for too long');
      this.#aliveAt = at;
      this.#keepBeating();
    } catch (error) {
      if (lease !== this.#lease) return;
      if (this.isOverdue) return this.lose(HandoverError.from(error).message);
      this.#later(1_000 * (0.5 + clock.draw() / 2), () => void this.#beat());
    }
  }

  /** Tells the goal as often as it is written. */
  async #watch(from: number, signal: AbortSignal): Promise<void> {
    const { store, keys, reader, post } = this.#parts;
    const tell = (found: KeyValue | null) => {
      if (!signal.aborted) post({ type: 'goal', goal: reader.goal(found) });
    };
    try {
      const how = await store.watch(
        { key: keys.goal, from },
        (changes) => {
          const last = changes.at(-1);
          if (last) tell(last.type === 'delete' ? null : last);
        },
        signal
      );
      if (how === 'compacted' && !signal.aborted)
        this.lose('etcd no longer knows what happened since it was asked last');
    } catch (error) {
      if (!signal.aborted) this.lose(HandoverError.from(error).message);
    }
  }
}

function taken(machine: string, other: MachineRecord | null): HandoverError {
  const where = other ? ` on ${other.host}, with the control socket ${other.socket}` : '';
  return new HandoverError('HANDOVER_ERR_REFUSED_FLEET', {
    what: `This machine cannot join as "${machine}"`,
    why: `another one of that name is registered${where}`,
    fix: 'Give each machine a name of its own with --machine; it tries again'
  });
}
