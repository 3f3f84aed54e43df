import { existsSync } from 'node:fs';
import { finishHistory } from '../core/state/history.ts';
import type { HistoryEntry, State } from '../core/state/state.ts';
import type { Watchdog } from '../host/measure/watchdog.ts';
import { loadState, StateFile, statePath } from '../host/state-file.ts';

/** How old what is kept may be where nothing happens but requests: a supervisor that is killed says no last word. */
const KEEP_MS = 10_000;

/** What a service remembers from supervisor to supervisor. */
export class SavedState {
  /** What an earlier supervisor left, as far as the core goes on from it. */
  readonly earlier: Pick<State, 'lastGeneration' | 'history'>;
  readonly #loss: string | null;
  readonly #warn: (why: string) => void;
  readonly #file: StateFile;
  readonly #path: string;
  #isKept = false;

  constructor(file: string | null, socket: string, warn: (why: string) => void) {
    const path = file ?? statePath(socket);
    this.#path = path;
    const { state, warning } = loadState(path);
    this.#loss = warning;
    this.#warn = warn;
    this.earlier = state
      ? { lastGeneration: state.lastGeneration, history: finishHistory(state.history, state.savedAt) }
      : { lastGeneration: 0, history: [] };
    this.#file = new StateFile(path, warn);
  }

  /** Says why nothing of it could be read, where there was something. */
  tellLoss(): void {
    if (this.#loss !== null) this.#warn(this.#loss);
  }

  /** Whether its file is there, or was never written. */
  get isThere(): boolean {
    return !this.#isKept || existsSync(this.#path);
  }

  /** The state with the requests that each generation of its history has answered by now. */
  count(state: State, watchdog: Watchdog): State {
    const count = (entry: HistoryEntry): HistoryEntry =>
      entry.endedAt === null || entry.requests === null ? { ...entry, ...watchdog.totals(entry.generation) } : entry;
    return { ...state, history: state.history.map(count) };
  }

  /** Notes a counted state, to be written soon. */
  keep({ lastGeneration, history }: State): void {
    this.#isKept = true;
    this.#file.save({ lastGeneration, history });
  }

  /** Notes the state now and then. @returns a function that ends it */
  keepOn(look: () => State): () => void {
    const timer = setInterval(() => this.keep(look()), KEEP_MS).unref();
    return () => clearInterval(timer);
  }

  flush(): Promise<void> {
    return this.#file.flush();
  }
}
