import type { ToSupervisor, ToWorker } from '../protocol/messages.ts';

/** What holds until the next order that says whether a worker serves. */
const UNTIL_TOLD = ['paused', 'quiet', 'handed', 'drained', 'left'];
/** How many arrivals are remembered: more than can be on their way at once. */
const ADOPTED = 1_024;

/**
 * What this worker has said to its supervisor and still holds, for the next one: that begins with what its workers say.
 */
export class Statements {
  readonly #standing = new Map<string, ToSupervisor>();
  readonly #adopted = new Set<string>();
  #told = '';
  #yields = false;
  #isActive = false;

  onSaid(message: ToSupervisor): void {
    const { type } = message;
    if (type === 'listening' || type === 'accepting') this.#standing.set(`${type} ${message.key}`, message);
    else if (type === 'unlisten')
      for (const what of ['listening', 'accepting']) this.#standing.delete(`${what} ${message.key}`);
    else if (type === 'signal' || type === 'carries' || type === 'rehearsed' || type === 'inactive')
      this.#standing.set(type, message);
    else if (UNTIL_TOLD.includes(type)) this.#standing.set(type, message);
    else if (type === 'adopted') this.#remember(message.id);
  }

  onTold(message: ToWorker): void {
    const { type } = message;
    if (type === 'activate' || type === 'deactivate') {
      this.#isActive = type === 'activate';
      this.#standing.delete('inactive');
    }
    if (type === 'hold') this.#yields = message.yields;
    if (type !== 'accept' && type !== 'pause' && type !== 'hold' && type !== 'drain') return;
    if (type !== 'hold') this.#yields = false;
    // A worker is told to accept for each of its addresses, and to yield after it was told to hold.
    if (type === this.#told) return;
    this.#told = type;
    for (const what of UNTIL_TOLD) this.#standing.delete(what);
    if (type === 'accept') return;
    for (const what of this.#standing.keys()) if (what.startsWith('accepting ')) this.#standing.delete(what);
  }

  /** The part of a hello that comes of them. */
  get all() {
    return {
      told: this.#told,
      yields: this.#yields,
      isActive: this.#isActive,
      statements: [...this.#standing.values()],
      adopted: [...this.#adopted]
    };
  }

  #remember(id: string): void {
    this.#adopted.add(id);
    const [oldest] = this.#adopted;
    if (this.#adopted.size > ADOPTED && oldest !== undefined) this.#adopted.delete(oldest);
  }
}
