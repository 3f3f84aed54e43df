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
  /** Why nothing of it could be read, where there was something; null where all is well. */
  readonly loss: string | null;
  readonly #file: StateFile;

  constructor(file: string | null, socket: string, warn: (why: string) => void) {
    const path = file ?? statePath(socket);
    const { state, warning } = loadState(path);
    this.loss = warning;
    this.earlier = state
      ? { lastGeneration: state.lastGeneration, history: finishHistory(state.history, state.savedAt) }
      : { lastGeneration: 0, history: [] };
    this.#file = new StateFile(path, warn);
  }

  /** The state with the requests that each generation of its history has answered by now. */
  count(state: State, watchdog: Watchdog): State {
    const count = (entry: HistoryEntry): HistoryEntry =>
      entry.endedAt === null || entry.requests === null ? { ...entry, ...watchdog.totals(entry.generation) } : entry;
    return { ...state, history: state.history.map(count) };
  }

  /** Notes a counted state, to be written soon. */
  keep({ lastGeneration, history }: State): void {
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
