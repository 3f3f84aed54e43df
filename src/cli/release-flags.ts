import { resolve } from 'node:path';
import type { ReloadOrder } from '../control/routes.ts';
import { HandoverError } from '../errors.ts';
import { BY, CANARY, DURATION, type Field, NAME, NODE_OPTIONS, SHARE } from '../options/fields.ts';
import { STRATEGIES, type StrategyName } from '../options/strategies.ts';
import { Option } from './commander.ts';
import type { Given } from './commands/command.ts';

/** The flags of `run` and `reload` that say what to start. All of them take a value. */
export function createReleaseFlags(): Option[] {
  return [
    new Option('--cwd <folder>', 'Working directory of the app from now on; the entry is then meant from there.'),
    new Option(
      '--env <KEY=VALUE>',
      'Set for the app from now on; what --env set before stays unless it is given again. Repeatable.'
    ).argParser(readVariable),
    new Option('--env-file <path>', 'File of KEY=VALUE lines, read anew at each reload; --env wins over it.'),
    new Option('--node <path>', 'Another Node binary from now on. It starts without the flags of the supervisor.'),
    new Option(
      '--node-option <option>',
      'Option for Node itself from now on, such as --import=tsx, in place of those before. Repeatable.'
    ).argParser(readNodeOption),
    new Option(
      '--label <text>',
      'Name of this version. Default: its git commit, else its package.json version.'
    ).argParser(readLabel)
  ];
}

/** The flags of `reload` that say how. */
export function createReloadFlags(): Option[] {
  return [
    new Option('--strategy <name>', 'How it takes over, this once.').choices(STRATEGIES),
    new Option('--supersede', 'Give up a candidate that is still starting, or a canary, in favour of this one.'),
    new Option('--wait', 'Return after the verdict: exit code 0 if it was kept, 1 if it was rolled back.'),
    new Option(
      '--canary <5% | 1%,10%,50% | header:x-beta=1>',
      'What it answers first, beside the active version: a share, several one after the other, or chosen requests. `off`: nothing, whatever the options say.'
    ).argParser(readWith('--canary', CANARY)),
    new Option(
      '--hold <5m>',
      'How long each share lasts before it is judged and the next one begins. Default: 5m with several, else until you say so.'
    ).argParser(readWith('--hold', DURATION)),
    new Option(
      '--by <who>',
      'Who goes where: random, connection, ip, ip:HEADER, cookie:NAME, header:NAME or query:NAME. Default: random, and over TLS connection.'
    ).argParser(readWith('--by', BY)),
    new Option(
      '--split <50%>',
      'In place of --canary: a share that is never judged, and never ends by itself. --name is its name then, unless a service is called so.'
    ).argParser(readWith('--split', SHARE))
  ];
}

/**
 * Reads what a `run` or `reload` is to start.
 *
 * Paths are made absolute, for the supervisor may live in another folder, but no link in them is resolved: that is done
 * anew at each reload.
 *
 * @param here where the operator stands
 */
export function readRelease({ flags, entry, app }: Given, here: string): ReloadOrder {
  const { cwd, env, envFile, node, nodeOption, label, strategy, supersede, wait, canary, hold, by, split } = flags as {
    readonly [flag: string]: unknown;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly envFile?: string;
    readonly node?: string;
    readonly nodeOption?: readonly string[];
    readonly label?: string;
    readonly strategy?: StrategyName;
    readonly canary?: string;
    readonly hold?: string;
    readonly by?: string;
    readonly split?: string;
  };
  return {
    // With a folder, the entry is meant from there: as it is written, so that the next --cwd alone is enough.
    ...(entry === null ? {} : { entry: cwd === undefined ? resolve(here, entry) : entry }),
    ...(cwd === undefined ? {} : { cwd: resolve(here, cwd) }),
    ...(env === undefined ? {} : { env }),
    ...(envFile === undefined ? {} : { envFile: resolve(here, envFile) }),
    ...(node === undefined ? {} : { node: resolve(here, node) }),
    ...(nodeOption === undefined ? {} : { nodeOptions: nodeOption }),
    ...(label === undefined ? {} : { label }),
    ...(app === null ? {} : { args: app }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(supersede === true ? { supersede } : {}),
    ...(wait === true ? { wait } : {}),
    ...(canary === undefined ? {} : { canary }),
    ...(hold === undefined ? {} : { hold }),
    ...(by === undefined ? {} : { by }),
    ...(split === undefined ? {} : { split })
  };
}

function readVariable(given: string, all: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = given.indexOf('=');
  if (at > 0) return { ...all, [given.slice(0, at)]: given.slice(at + 1) };
  // What was given may be a secret without its name.
  throw invalid('--env', 'it must be KEY=VALUE');
}

function readNodeOption(given: string, all: readonly string[] = []): readonly string[] {
  const read = NODE_OPTIONS.read([given]);
  if (read) return [...all, ...read];
  const wanted = 'it must be an option of Node with its value, such as --import=tsx';
  throw invalid('--node-option', `${wanted}, and it is ${JSON.stringify(given)}`);
}

function readLabel(given: string): string {
  const label = NAME.read(given);
  if (label !== undefined) return label;
  throw invalid('--label', `it must be ${NAME.wants}`);
}

export function invalid(flag: string, why: string): HandoverError {
  const fix = 'Remove it, or correct it';
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', { what: `"${flag}" is not usable`, why, fix });
}

/** Makes a reader of a flag: what is not usable is refused before anything is asked of a supervisor. */
function readWith(flag: string, { read, wants }: Field): (given: string) => string {
  return (given) => {
    if (read(given) !== undefined) return given;
    throw invalid(flag, `it must be ${wants}, and it is ${JSON.stringify(given)}`);
  };
}
