import type { Counts, Expected } from './model.ts';

/** What is not as expected, or null. */
export function difference({ requests, failed, reconnects }: Counts, expected: Expected): string | null {
  const [least, most] = range(expected);
  if (requests === 0) return 'nothing was asked';
  if (failed !== expected.failed) return `${failed} failed`;
  return reconnects < least || reconnects > most ? `${reconnects} reconnects` : null;
}

/** For a person: failed, reconnects, and why there are any. */
export function showExpected(expected: Expected): string {
  const [least, most] = range(expected);
  const reconnects = least === most ? least : `${least} to ${most}`;
  return `${expected.failed}, ${reconnects}${expected.why ? ` (${expected.why})` : ''}`;
}

function range({ reconnects }: Expected): readonly [least: number, most: number] {
  return typeof reconnects === 'number' ? [reconnects, reconnects] : reconnects;
}
