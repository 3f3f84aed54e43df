import type { KeyValue } from './etcd/key-values.ts';
import { readGoal } from './rules/goal.ts';
import type { KnownGoal } from './rules/member-state.ts';
import { Unreadable } from './rules/read-record.ts';

/** Reads what is under our keys. What cannot be read is told once, and else is as if it were not there. */
export class Reader {
  readonly #told = new Map<string, string>();
  readonly #onUnreadable: (key: string, reason: string) => void;

  constructor(onUnreadable: (key: string, reason: string) => void) {
    this.#onUnreadable = onUnreadable;
  }

  /** Reads one value, or gives null where it is none of ours. */
  read<T>({ key, value }: Pick<KeyValue, 'key' | 'value'>, read: (text: string) => T): T | null {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.tell(key, error.message);
      return null;
    }
  }

  goal(found: KeyValue | null): KnownGoal | null {
    const doc = found && this.read(found, readGoal);
    return found && doc && { doc, revision: found.modRevision };
  }

  tell(key: string, reason: string): void {
    if (this.#told.get(key) === reason) return;
    this.#told.set(key, reason);
    this.#onUnreadable(key, reason);
  }
}
