import leven from 'leven';

/**
 * Finds what a name that does not exist was meant to be.
 *
 * @param tolerance how many letters may be wrong in a name, by the name that exists
 * @returns undefined where no name is like it
 */
export function findNearestName(
  name: string,
  known: readonly string[],
  tolerance: (known: string) => number
): string | undefined {
  const distance = (one: string) => leven(one.toLowerCase(), name.toLowerCase());
  return known
    .filter((one) => distance(one) <= tolerance(one))
    .reduce<string | undefined>(
      (best, one) => (best !== undefined && distance(best) <= distance(one) ? best : one),
      undefined
    );
}
