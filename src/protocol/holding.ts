/** One request that keeps a worker busy. */
export interface Holding {
  readonly method: string;
  readonly url: string;
  readonly ageMs: number;
}
