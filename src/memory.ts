import type { Chapter, State } from './core/model.ts';
import { Chronicle, loadSnapshot, type Snapshot, statePath } from './host/chronicle.ts';
import type { Vitals } from './host/vitals.ts';

/** What a service remembers from supervisor to supervisor. */
export class Memory {
  /** What an earlier supervisor left, as far as the core goes on from it. */
  readonly earlier: Pick<State, 'lastGeneration' | 'history'>;
  /** Why nothing of it could be read, where there was something; null where all is well. */
  readonly loss: string | null;
  readonly #totals: Snapshot['totals'];
  readonly #chronicle: Chronicle;

  constructor(file: string | null, socket: string, warn: (why: string) => void) {
    const path = file ?? statePath(socket);
    const { snapshot, warning } = loadSnapshot(path);
    this.loss = warning;
    this.earlier = { lastGeneration: snapshot?.lastGeneration ?? 0, history: snapshot?.history ?? [] };
    this.#totals = snapshot?.totals ?? {};
    this.#chronicle = new Chronicle(path, warn);
  }

  /** Counts on where an earlier supervisor ended. */
  restore(vitals: Vitals): void {
    for (const [generation, totals] of Object.entries(this.#totals)) vitals.restoreTotals(Number(generation), totals);
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
    const totals = Object.fromEntries(
      history.map(({ generation, requests, failed }) => [generation, { requests: requests ?? 0, failed: failed ?? 0 }])
    );
    this.#chronicle.save({ lastGeneration, history, totals });
  }

  flush(): Promise<void> {
    return this.#chronicle.flush();
  }
}
