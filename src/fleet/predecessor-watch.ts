import type { Store } from './fleet-ports.ts';
import type { Reader } from './reader.ts';
import type { MemberEvent, Watched } from './rules/member-state.ts';
import { readHolder } from './rules/records.ts';

interface Parts {
  readonly store: Store;
  readonly reader: Reader;
  post(event: MemberEvent): void;
}

/** Watches the one machine that this one waits for in the queue, and nobody else: each has about one that watches it. */
export class PredecessorWatch {
  readonly #parts: Parts;
  #key: string | null = null;
  #end = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  follow(watched: Watched | null): void {
    if ((watched?.key ?? null) === this.#key) return;
    this.close();
    if (watched === null) return;
    this.#key = watched.key;
    this.#end = new AbortController();
    void this.#watch(watched, this.#end.signal);
  }

  close(): void {
    this.#key = null;
    this.#end.abort();
  }

  async #watch({ key, revision, slot: known }: Watched, signal: AbortSignal): Promise<void> {
    const { store, reader, post } = this.#parts;
    let slot = known;
    const gone = () => {
      if (signal.aborted) return;
      this.close();
      post({ type: 'left-queue', key, slot });
    };
    try {
      const how = await store.watch(
        { key, from: revision + 1 },
        (changes) => {
          for (const change of changes) {
            if (change.type === 'delete') return gone();
            slot = reader.read(change, readHolder)?.slot ?? slot;
          }
        },
        signal
      );
      // What was missed is looked at anew.
      if (how === 'compacted') gone();
    } catch {
      // It is looked again anyway, a little later; and if etcd refuses, the machine is told so when it asks the next time.
    }
  }
}
