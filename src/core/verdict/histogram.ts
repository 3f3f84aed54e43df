const FIRST_MS = 0.1;
const LAST_MS = 60_000;
const STEP = 1.1;

const STEPS = Math.ceil(Math.log(LAST_MS / FIRST_MS) / Math.log(STEP));

/**
 * Upper bounds of the buckets that durations are counted in: evenly spaced on a logarithmic scale, about 10 % apart.
 *
 * Bucket `i` holds what took at most `BUCKETS_MS[i]`, and more than the one before; one more count holds everything
 * above the last.
 */
export const BUCKETS_MS: readonly number[] = Array.from({ length: STEPS + 1 }, (_, index) =>
  index === STEPS ? LAST_MS : FIRST_MS * (LAST_MS / FIRST_MS) ** (index / STEPS)
);

/** How long a slice is: a single pause of the machine fits into one, a version that is slow fills them all. */
export const SLICE_MS = 500;

/** The route of all that has none of its own. */
export const OTHER_ROUTES = 'other';
