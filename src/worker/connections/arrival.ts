import type { Resume } from '../../protocol/kinds.ts';

/** A connection that comes from another process. */
export interface Arrival {
  readonly key: string;
  readonly fresh: boolean;
  readonly pipelines: boolean;
  /** What it takes to go on in the middle of an answer. */
  readonly resume: Resume | null;
  /** Whether no other process can take it: it does not move on. */
  readonly last: boolean;
  /** Whether the supervisor opened it, to ask privately. */
  readonly private: boolean;
}
