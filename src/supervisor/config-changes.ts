import { isDeepStrictEqual } from 'node:util';

/** The names whose values are not the same in both, in order; a function is the same where its text is. */
export function findChanged(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const names = new Set([...after.keys(), ...before.keys()]);
  return [...names]
    .sort()
    .filter((name) => !isDeepStrictEqual(comparable(before.get(name)), comparable(after.get(name))));
}

function comparable(value: unknown): unknown {
  if (typeof value === 'function') return String(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, comparable(one)]));
}
