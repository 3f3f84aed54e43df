import type { Given } from '../commands/command.ts';
import { flagOf } from '../flags.ts';

/** Writes the arguments of a `run` that were read: in one way, whichever way they were given. */
export function writeRun({ flags, entry, app }: Given, listen: readonly string[] | null): string[] {
  const given = Object.entries(flags).filter(([name]) => listen === null || name !== 'listen');
  const own = given.flatMap(([name, value]) => writeFlag(name, value));
  const addresses = (listen ?? []).flatMap((one) => ['--listen', one]);
  return [...own, ...addresses, ...(entry === null ? [] : [entry]), ...(app === null ? [] : ['--', ...app])];
}

function writeFlag(name: string, value: unknown): string[] {
  const flag = flagOf(name);
  if (name === 'env') return Object.entries(value as object).flatMap(([key, one]) => [flag, `${key}=${one}`]);
  const values = Array.isArray(value) ? value.map(String) : [String(value)];
  // An option of Node looks like one of ours, unless it stands behind the name of its own.
  return values.flatMap((one) => (one.startsWith('-') ? [`${flag}=${one}`] : [flag, one]));
}
