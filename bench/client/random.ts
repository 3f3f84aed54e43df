/** Draws numbers that look random and come again with the same seed. */
export type Random = {
  /** A number from `min` up to, but not including, `max`. */
  between(min: number, max: number): number;
  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** True in about `share` of the calls. */
  chance(share: number): boolean;
};

/**
 * Draws numbers from 0 up to, but not including, 1: the same ones from the same seed, on every machine.
 *
 * @source mulberry32, Tommy Ettinger (public domain)
 */
export function drawNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes a generator of its own for each client, so that the order in which answers arrive changes nobody else's draws. */
export function createRandom(seed: number): Random {
  const next = drawNumbers(seed);
  return {
    between: (min, max) => min + next() * (max - min),
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (share) => next() < share
  };
}
