import type { Resume } from '../../protocol/kinds.ts';

/** A connection that comes from another process. */
export interface Arrival {
  readonly key: string;
  readonly fresh: boolean;
  readonly pipelines: boolean;
  /** What it takes to go on in the middle of an answer. */
  readonly resume: Resume | null;
  /** What has been read of it and nobody has answered, as latin1. */
  readonly request: string;
  /** What was drawn for it, 0-1; -1 where nothing was. */
  readonly lot: number;
  /** How often a request has taken it along to another process; undefined where its sender does not count. */
  readonly sides: number | undefined;
  /** Where its request goes back to unless it is answered with 2xx; empty: any answer will do. */
  readonly tries: string;
  /** Whether no other process can take it: it does not move on. */
  readonly last: boolean;
  /** Whether the supervisor opened it, to ask privately. */
  readonly private: boolean;
}
