export interface MemoryLimits {
  /** Above this, a worker is too heavy; null where there is no limit. */
  readonly maxMemoryBytes: number | null;
  /** Below this share of available memory, the machine has none to spare; 0 where that is not watched. */
  readonly standbyShare: number;
}

export interface MemoryPorts {
  /** Available memory of the machine, 0-1, or null where it is not told. */
  readAvailable(): number | null;
  /** A worker has been above `maxMemory`; told again while it stays. */
  onHeavy(worker: string, rssBytes: number): void;
  /** The machine has been below `standbyMemory`; told again while it stays. */
  onLowMemory(share: number): void;
}

/** One reading a second: it may be a garbage collection that was just due, but not so many in a row. */
const READINGS = 6;
/** Whoever was told may have had to wait with what is to be done. */
const AGAIN_MS = 30_000;

/** Tells when something has been so for several readings in a row, and again from time to time while it stays. */
class Streak {
  #count = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  isNews(isSo: boolean, at: number): boolean {
    this.#count = isSo ? this.#count + 1 : 0;
    if (!isSo) this.#toldAt = Number.NEGATIVE_INFINITY;
    if (this.#count < READINGS || at - this.#toldAt < AGAIN_MS) return false;
    this.#toldAt = at;
    return true;
  }
}

/** Watches the memory of workers, and of the machine. */
export class MemoryWatch {
  readonly #limits: MemoryLimits;
  readonly #ports: MemoryPorts;
  readonly #low = new Streak();
  #heavy = new Map<string, Streak>();

  constructor(limits: MemoryLimits, ports: MemoryPorts) {
    this.#limits = limits;
    this.#ports = ports;
  }

  /** @param workers resident bytes by worker, as it said itself */
  look(workers: ReadonlyMap<string, number>, at: number): void {
    if (this.#limits.standbyShare > 0) this.#judgeMachine(at);
    this.#judgeWorkers(workers, at);
  }

  #judgeMachine(at: number): void {
    const share = this.#ports.readAvailable();
    if (share !== null && this.#low.isNews(share < this.#limits.standbyShare, at)) this.#ports.onLowMemory(share);
  }

  #judgeWorkers(workers: ReadonlyMap<string, number>, at: number): void {
    const { maxMemoryBytes } = this.#limits;
    if (maxMemoryBytes === null) return;
    this.#heavy = new Map([...workers.keys()].map((worker) => [worker, this.#heavy.get(worker) ?? new Streak()]));
    for (const [worker, rssBytes] of workers) {
      if (this.#heavy.get(worker)?.isNews(rssBytes > maxMemoryBytes, at)) this.#ports.onHeavy(worker, rssBytes);
    }
  }
}
