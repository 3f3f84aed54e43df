import type { Notice } from '../../core/state/state.ts';
import type { ToSupervisor } from '../../protocol/messages.ts';
import { askedFor, firstFor, isUndecided, namedOf } from '../../protocol/named.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { showAddress, showWanted } from '../listeners/explain.ts';
import { type BindPorts, bindFor } from './bind.ts';
import type { ReadinessPorts } from './readiness.ts';
import type { WorkerRecord } from './worker-record.ts';

type Listen = Extract<ToSupervisor, { type: 'listen' }>;

/**
 * How long after its last `listen()` an app is given to open the server that asks for a named address, before its only
 * server gets that without asking.
 */
const SETTLE_MS = {
  /** Nothing is known of the app. */
  usual: 1_000,
  /** The same server got it in the active version, or the app has said that it is ready. */
  known: 100,
  /** A server of the active version asks for it, so that of the next one most likely comes too. */
  asked: 5_000
} as const;

/** How long an app with several servers is given until one of them asks. */
const UNFIT_MS = 5_000;

export interface AssignmentPorts extends Pick<ReadinessPorts, 'plans' | 'readinessOf'>, BindPorts {
  /** None of the app's servers can get the named address. */
  onUnfit(record: WorkerRecord, why: string, fix: string): void;
  announce(notice: Notice): void;
}

/**
 * Answers the servers that ask for an address which nobody named: they get it, except where the app has one server only,
 * and that has to answer on what was named.
 */
export class Assignment {
  readonly #ports: AssignmentPorts;
  /** How the generation that serves came to its named address: by the port that its only server asks for, or by asking. */
  #usual: number | 'asked' | null = null;
  /** The generation of which it was said last that its server answers elsewhere than it asked for. */
  #told: number | null = null;

  constructor(ports: AssignmentPorts) {
    this.#ports = ports;
  }

  onListen(record: WorkerRecord, message: Listen): void {
    const { ask, wanted, preloaded } = message;
    const has = (key: string) => record.keys.has(key);
    record.asking.set(ask, null);
    const lent = this.#lent(record);
    const byPath = wanted.path !== undefined && askedFor(lent, wanted) !== undefined;
    if (preloaded || byPath || !isUndecided(lent, has, wanted)) {
      void bindFor(record, this.#ports, message);
      return;
    }
    record.undecided.set(ask, message);
    this.#wait(record);
  }

  /** A server has an address. Where that is a named one, the others get what they asked for. */
  onListening(record: WorkerRecord, key: string): void {
    if (this.#ports.plans.isNamedFor(record.generation, key)) this.#release(record);
  }

  /** What a server asked for is wanted no more, or it has been answered. */
  onDone(record: WorkerRecord, ask: number): void {
    record.asking.delete(ask);
    record.undecided.delete(ask);
  }

  /** The app has said that it is ready: no other server is to be expected. */
  onSignal(record: WorkerRecord): void {
    this.#wait(record);
  }

  /** The generation of this worker serves. */
  onAccepting(record: WorkerRecord): void {
    const { keys, assigned } = record;
    if (namedOf(this.#lent(record)).some(({ key }) => keys.has(key))) this.#usual = assigned ?? 'asked';
  }

  onGone(record: WorkerRecord): void {
    clearTimeout(record.settling);
  }

  #release(record: WorkerRecord): void {
    clearTimeout(record.settling);
    for (const message of record.undecided.values()) void bindFor(record, this.#ports, message);
    record.undecided.clear();
  }

  #wait(record: WorkerRecord): void {
    clearTimeout(record.settling);
    const bySignal = this.#ports.readinessOf(record.generation).ready === 'signal';
    if (record.undecided.size === 0 || (bySignal && !record.signalled)) return;
    record.settling = setTimeout(() => this.#settle(record), this.#settleMs(record));
  }

  #settleMs({ signalled, undecided }: WorkerRecord): number {
    const [only, ...others] = undecided.values();
    if (others.length > 0 && !arePartsOfOne([only, ...others])) return UNFIT_MS;
    if (signalled || only?.wanted.port === this.#usual) return SETTLE_MS.known;
    return this.#usual === 'asked' ? SETTLE_MS.asked : SETTLE_MS.usual;
  }

  #settle(record: WorkerRecord): void {
    const [only, ...others] = record.undecided.values();
    if (!only) return;
    const lent = this.#lent(record);
    const free = arePartsOfOne([only, ...others]) ? firstFor(lent, only.wanted) : undefined;
    if (!free) return this.#ports.onUnfit(record, ...this.#explain(lent, [only, ...others]));
    record.undecided.delete(only.ask); // the others get what they ask for, once this one listens
    record.assigned = only.wanted.port ?? null;
    record.asking.set(only.ask, free.key);
    this.#tellAssigned(record, only, free);
    record.process.send({ type: 'bound', ask: only.ask, key: free.key, address: free.address });
  }

  /** Once for a version, unless it was so in the one before. A port that changes may be one that the app believed taken. */
  #tellAssigned({ id: worker, generation, assigned }: WorkerRecord, { wanted }: Listen, { address }: Lent): void {
    if (this.#told === generation || this.#usual === (assigned ?? 'asked')) return;
    this.#told = generation;
    const reason = `its only server asked for ${showWanted(wanted)}, and answers on ${showAddress(address)} of --listen`;
    this.#ports.announce({
      level: this.#usual === null ? 'info' : 'warn',
      event: 'assigned',
      generation,
      worker,
      reason
    });
  }

  #lent({ generation }: WorkerRecord): readonly Lent[] {
    return this.#ports.plans.lentTo(generation);
  }

  #explain(lent: readonly Lent[], all: readonly Listen[]): [why: string, fix: string] {
    const named = namedOf(lent);
    const asked = all.map(({ wanted }) => showWanted(wanted)).join(' and ');
    const wanted = named.map(({ address, asked: port }) => `${showAddress(address)}${port === null ? '' : `=${port}`}`);
    const [first] = named;
    const to = first && typeof first.address === 'object' ? first.address.port : first && showAddress(first.address);
    const ports = all.flatMap(({ wanted: { port } }) => (port === undefined ? [] : [port]));
    return [
      `it listens on ${asked}, and none of these is an address of --listen (${wanted.join(', ')})`,
      `Let the public server listen on process.env.PORT, or say which it is: \`--listen ${to}=${ports.at(-1) ?? '<its port>'}\``
    ];
  }
}

/** Whether it is one server, or several on one port: frameworks make one for each address of `localhost`. */
function arePartsOfOne([first, ...others]: readonly (Listen | undefined)[]): boolean {
  return others.every((other) => other?.wanted.port !== undefined && other.wanted.port === first?.wanted.port);
}
