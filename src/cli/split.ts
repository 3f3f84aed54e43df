import { HandoverError } from '../errors.ts';
import { findNearestName } from '../options/nearest-name.ts';

/** The arguments of `run`, told apart. */
export interface RunArguments {
  /** Ours, each flag with its value as `--flag=value`. */
  readonly own: readonly string[];
  readonly entry: string | null;
  /** The app's, untouched. Null where none were given: the config's count then. */
  readonly app: readonly string[] | null;
}

const ABOUT_US = ['--help', '--version'];

/**
 * Tells handover's own arguments from the app's.
 *
 * Known flags are ours before the entry and directly after it. The app's arguments begin with the first one after the
 * entry that is neither a known flag nor its value, or after `--`. What looks like one of our flags misspelt there is
 * refused: silently given to the app, it would leave the default in force.
 *
 * @throws HANDOVER_ERR_OPTION_UNKNOWN, HANDOVER_ERR_OPTION_INVALID
 */
export function splitRun(args: readonly string[], flags: readonly string[]): RunArguments {
  const own: string[] = [];
  let entry: string | null = null;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string;
    const flag = arg.split('=', 1)[0] as string;
    if (arg === '--') return { own, entry, app: args.slice(at + 1) };
    if (ABOUT_US.includes(arg)) own.push(arg);
    else if (flags.includes(flag)) {
      if (flag !== arg) own.push(arg);
      else {
        at += 1;
        own.push(`${flag}=${readValue(flag, args[at], flags)}`);
      }
    } else if (entry !== null) {
      refuseMisspelt(flag, flags);
      return { own, entry, app: args.slice(at) };
    } else if (arg.startsWith('-') && arg !== '-') own.push(arg);
    else entry = arg;
  }
  return { own, entry, app: null };
}

/** What follows a flag. Something that looks like a flag itself means that the value was forgotten. */
function readValue(flag: string, next: string | undefined, flags: readonly string[]): string {
  const isOption = flag === '--node-option' && !flags.includes(next?.split('=', 1)[0] ?? '') && next !== '--';
  if (next !== undefined && (isOption || !next.startsWith('--'))) return next;
  throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `Option "${flag}" is not usable`,
    why: 'it needs a value, and none was given',
    fix: `Write ${flag} <value> or ${flag}=<value>; \`handover run --help\` says what it may be`
  });
}

function refuseMisspelt(flag: string, flags: readonly string[]): void {
  if (!flag.startsWith('--')) return;
  const near = findNearestName(
    flag,
    flags.filter((one) => one.length > SHORT || one.length !== flag.length),
    tolerance
  );
  if (near === undefined) return;
  throw new HandoverError('HANDOVER_ERR_OPTION_UNKNOWN', {
    what: `Option "${flag}" is not known`,
    why: `the nearest name is "${near}"`,
    fix: `Correct it; if it is meant for the app, put \`--\` before the arguments of the app`
  });
}

/** In a name as short as this, one letter for another makes another word: `--mode` is nobody's `--node`. */
const SHORT = '--node'.length;

/** Two letters may be wrong, and only one in a short name: `--foo` is nobody's `--log`. */
function tolerance(flag: string): number {
  return flag.length - 2 >= 6 ? 2 : 1;
}
