import type { Clock, FleetPorts, MemberPlace, Seen, Store } from './fleet-ports.ts';
import type { MemberState } from './rules/member-state.ts';
import type { MachineRecord } from './rules/records.ts';
import { phaseOf } from './rules/target.ts';

/** What changes within this time is written once. */
const TOGETHER_MS = 200;
const AGAIN_MS = 2_000;

interface Parts {
  readonly store: Store;
  readonly clock: Clock;
  /** Null where there is none: then nothing is written. */
  lease(): string | null;
  readonly key: string;
  readonly place: MemberPlace;
  readonly ports: FleetPorts;
}

/** What others see of this machine: written only when it changes. */
export class MachineLine {
  readonly #parts: Parts;
  #wanted = '';
  /** What is there, and under which lease. */
  #written: { readonly text: string; readonly lease: string } | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  record(state: MemberState, seen: Seen): MachineRecord {
    const { place, ports } = this.#parts;
    const { addresses, generation, label, ready } = seen;
    const { phase, why } = phaseOf(state);
    return {
      ...{ machine: place.machine, zone: place.zone, host: ports.host, socket: ports.socket },
      ...{ addresses, generation, label, state: seen.state, ready, verdict: seen.verdict, drained: seen.drained },
      ...{ deploy: state.goal?.doc.id ?? null, phase, why }
    };
  }

  show(state: MemberState, seen: Seen): void {
    this.#wanted = JSON.stringify(this.record(state, seen));
    const lease = this.#parts.lease();
    const isThere = this.#written?.text === this.#wanted && this.#written.lease === lease;
    if (!state.joined || lease === null || isThere || this.#cancel !== null || this.#closed) return;
    this.#later(TOGETHER_MS);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #later(ms: number): void {
    this.#cancel = this.#parts.clock.after(ms, () => void this.#write());
  }

  async #write(): Promise<void> {
    const { store, key, lease: read } = this.#parts;
    const [text, lease] = [this.#wanted, read()];
    if (lease !== null) {
      try {
        await store.txn({ success: [{ put: key, value: text, lease }] });
        this.#written = { text, lease };
      } catch {
        // Whatever it is, the lease tells of it too; what others see is a little older meanwhile.
        return this.#closed ? undefined : this.#later(AGAIN_MS);
      }
    }
    this.#cancel = null;
    if (this.#wanted !== text && !this.#closed) this.#later(TOGETHER_MS);
  }
}
