import type { Chapter, State } from '../core/state/state.ts';
import type { Vitals } from '../host/measure/watchdog.ts';
import { Chronicle, loadSnapshot, statePath } from '../host/state-file.ts';

/** How old what is kept may be where nothing happens but requests: a supervisor that is killed says no last word. */
const KEEP_MS = 10_000;

/** What a service remembers from supervisor to supervisor. */
export class Memory {
  /** What an earlier supervisor left, as far as the core goes on from it. */
  readonly earlier: Pick<State, 'lastGeneration' | 'history'>;
  /** Why nothing of it could be read, where there was something; null where all is well. */
  readonly loss: string | null;
  readonly #chronicle: Chronicle;

  constructor(file: string | null, socket: string, warn: (why: string) => void) {
    const path = file ?? statePath(socket);
    const { snapshot, warning } = loadSnapshot(path);
    this.loss = warning;
    this.earlier = { lastGeneration: snapshot?.lastGeneration ?? 0, history: snapshot?.history ?? [] };
    this.#chronicle = new Chronicle(path, warn);
  }

  /** The state with the requests that each generation of its history has answered by now. */
  count(state: State, vitals: Vitals): State {
    const count = (chapter: Chapter): Chapter =>
      chapter.endedAt === null || chapter.requests === null
        ? { ...chapter, ...vitals.totals(chapter.generation) }
        : chapter;
    return { ...state, history: state.history.map(count) };
  }

  /** Notes a counted state, to be written soon. */
  keep({ lastGeneration, history }: State): void {
    this.#chronicle.save({ lastGeneration, history });
  }

  /** Notes the state now and then. @returns a function that ends it */
  keepOn(look: () => State): () => void {
    const timer = setInterval(() => this.keep(look()), KEEP_MS).unref();
    return () => clearInterval(timer);
  }

  flush(): Promise<void> {
    return this.#chronicle.flush();
  }
}
