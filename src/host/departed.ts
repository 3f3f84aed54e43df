import { addLeft, type Kind, type LeftByKind, openResume } from '../protocol/kinds.ts';
import type { Moving } from '../protocol/messages.ts';
import type { WorkerMessage } from './processes/worker-process.ts';

/** How the connections of a generation left at its last handover. */
export interface LastHandover {
  /** The generation that they left. */
  readonly from: number;
  readonly connections: LeftByKind;
}

const NOTHING: LeftByKind = {};

/** Counts how the connections of each generation leave at a handover: those that moved, and those that were ended. */
export class Departed {
  readonly #moved = new Map<number, LeftByKind>();
  /** By worker: how the others have left, or are going to. */
  readonly #planned = new Map<string, LeftByKind>();
  readonly #left = new Map<string, LeftByKind>();
  /** By kind: how many have arrived at another worker, since this supervisor began. */
  readonly #arrived = new Map<Kind, number>();
  #last: { readonly from: number; readonly moved: LeftByKind } | null = null;

  /** A connection has arrived at another worker. @param refused why the app there did not go on with it; empty where it did */
  onMoved(from: string, { resume }: Pick<Moving, 'resume'>, refused: string): void {
    const generation = generationOf(from);
    const kind: Kind = openResume(resume)?.kind ?? 'http1';
    const came = kind === 'websocket' ? 'carried' : 'moved';
    const went = kind === 'websocket' ? 'closed' : 'ended';
    if (refused === '') this.#arrived.set(kind, (this.#arrived.get(kind) ?? 0) + 1);
    const left = refused === '' ? { [came]: 1 } : { [went]: 1, reasons: { [refused]: 1 } };
    this.#moved.set(generation, addLeft(this.#moved.get(generation) ?? NOTHING, { [kind]: left }));
  }

  /** What a worker says of connections that have left since its pause. */
  hear(worker: string, message: WorkerMessage): void {
    if (message.type === 'handed') this.#planned.set(worker, message.left);
    if (message.type === 'left' || message.type === 'reported') this.#left.set(worker, message.left);
  }

  /** What has moved away from a generation is counted anew. */
  forget(generation: number): void {
    this.#moved.delete(generation);
  }

  /** How the connections of a generation have left, or are going to, since the count was last taken. */
  take(generation: number): { readonly handedOver: number; readonly connections: LeftByKind } {
    const moved = this.#moved.get(generation) ?? NOTHING;
    this.#moved.delete(generation);
    this.#last = { from: generation, moved };
    const handedOver =
      (moved.http1?.moved ?? 0) + (moved['event-stream']?.moved ?? 0) + (moved.websocket?.carried ?? 0);
    const connections = this.#sum(this.#planned, generation, moved);
    for (const all of [this.#planned, this.#left])
      for (const worker of all.keys()) if (generationOf(worker) !== generation) all.delete(worker);
    return { handedOver, connections };
  }

  get arrived(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#arrived);
  }

  get last(): LastHandover | null {
    if (this.#last === null) return null;
    const { from, moved } = this.#last;
    const later = this.#moved.get(from) ?? NOTHING;
    return { from, connections: this.#sum(this.#left, from, addLeft(moved, later)) };
  }

  #sum(all: ReadonlyMap<string, LeftByKind>, generation: number, moved: LeftByKind): LeftByKind {
    return [...all].reduce(
      (sum, [worker, left]) => (generationOf(worker) === generation ? addLeft(sum, left) : sum),
      moved
    );
  }
}

function generationOf(worker: string): number {
  return Number.parseInt(worker, 10);
}
