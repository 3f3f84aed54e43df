import { HandoverError } from '../errors.ts';
import { showDuration } from './durations.ts';
import { hintFor } from './hints.ts';
import { findNearestName } from './nearest-name.ts';
import { OPTIONS, type OptionName, type Options } from './options.ts';
import { findOption } from './other-words.ts';
import type { Spec } from './spec.ts';
import { isNone } from './strategies.ts';
import type { UserOptions } from './user-options.ts';

/**
 * Checks options and fills in the defaults.
 *
 * @throws HANDOVER_ERR_OPTION_UNKNOWN, HANDOVER_ERR_OPTION_INVALID
 */
export function readOptions(given: UserOptions): Options {
  const options = readEach(given);
  if (isNone(options.maxSurge) && isNone(options.maxUnavailable)) throw invalidTogether();
  refuseSwapped(options);
  return options;
}

/**
 * Checks options one by one and fills in the defaults: for those of one place among several.
 *
 * @throws HANDOVER_ERR_OPTION_UNKNOWN, HANDOVER_ERR_OPTION_INVALID
 */
export function readEach(given: UserOptions): Options {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(name, Object.keys(OPTIONS));
  const read = (name: OptionName) => {
    const value = given[name];
    const { fallback, read } = OPTIONS[name];
    if (value === undefined) return [name, fallback];
    const checked = read(value);
    if (checked === undefined) throw invalidOption(name, value);
    return [name, checked];
  };
  return Object.fromEntries((Object.keys(OPTIONS) as OptionName[]).map(read)) as Options;
}

/** An option that does not exist: a typo must not become a default. */
export function unknownOption(name: string, known: readonly string[]): HandoverError {
  const other = findOption(name);
  const ours = known.find((one) => other !== undefined && isSameName(one, other));
  if (ours !== undefined) {
    return new HandoverError('HANDOVER_ERR_OPTION_UNKNOWN', {
      what: `Option "${name}" is not known`,
      why: `what it does elsewhere, "${ours}" does here`,
      fix: 'See `handover help run`'
    });
  }
  const near = findNearestName(name, known, () => Math.max(2, name.length / 3));
  return new HandoverError('HANDOVER_ERR_OPTION_UNKNOWN', {
    what: `Option "${name}" is not known`,
    why: near !== undefined ? `the nearest name is "${near}"` : 'no option has a name like it',
    fix: `The options are: ${known.join(', ')}`
  });
}

/** Whether a flag, or a name as it is, is that of an option. */
function isSameName(flag: string, option: string): boolean {
  const letters = (text: string) => text.replaceAll('-', '').toLowerCase();
  return letters(flag) === letters(option) || `${letters(flag)}s` === letters(option);
}

/** One line of the table, whatever its value is. */
export function specOf(name: OptionName): Omit<Spec<unknown>, 'read'> {
  return OPTIONS[name];
}

/** A default the way people write it. */
export function writeDefault(name: OptionName): string {
  const { fallback, wants, written = fallback } = specOf(name);
  const isDuration = typeof fallback === 'number' && wants.startsWith('a duration');
  return isDuration ? showDuration(fallback) : String(written);
}

function invalidOption(name: OptionName, value: unknown): HandoverError {
  const { wants, fallback } = specOf(name);
  const hint = hintFor(name, value);
  const shown =
    fallback === null || (Array.isArray(fallback) && fallback.length === 0)
      ? 'the default'
      : `the default of ${writeDefault(name)}`;
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `Option "${name}" is not usable`,
    why: `it must be ${wants}, and it is ${show(value)}`,
    fix: `${hint === undefined ? '' : `${hint}. `}Remove it to get ${shown}, or correct it`
  });
}

/** A value as it was written. One of several is shown alone: which of them is meant is plain. */
function show(value: unknown): string {
  return JSON.stringify(Array.isArray(value) && value.length === 1 ? value[0] : value);
}

/** Nobody serves on a port below this one with as many workers. */
const SWAPPED = { port: 64, workers: 80 };

/** Port 3 with 80 workers would start, and take the machine down. */
function refuseSwapped({ listen, workers }: Options): void {
  const port = listen.map((one) => ('port' in one ? one.port : 0)).find((one) => one > 0 && one < SWAPPED.port);
  if (port === undefined || workers < SWAPPED.workers) return;
  throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Options "listen" and "workers" are not usable together',
    why: `port ${port} and ${workers} workers look as if they had changed places`,
    fix: `Write \`--listen ${workers} --workers ${port}\``
  });
}

function invalidTogether(): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Options "maxSurge" and "maxUnavailable" are not usable together',
    why: 'both are 0, so that no worker could be replaced',
    fix: 'Let one of them be 1 or more'
  });
}
