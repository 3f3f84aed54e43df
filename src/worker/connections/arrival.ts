/** A connection that comes from another process. */
export interface Arrival {
  readonly key: string;
  readonly fresh: boolean;
  readonly pipelines: boolean;
  /** Whether nobody else would take it: it does not move on. */
  readonly last: boolean;
  /** Whether it is the supervisor that asks here. */
  readonly private: boolean;
}
