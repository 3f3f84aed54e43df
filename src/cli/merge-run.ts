import { resolve } from 'node:path';
import { HandoverError } from '../errors.ts';
import { OPTIONS } from '../options/options.ts';
import type { SuperviseOptions } from '../supervise.ts';
import type { Given } from './commands/command.ts';
import type { Config } from './config.ts';
import { readRelease } from './release-flags.ts';

/** What the command line and the config say together. */
interface Merged {
  readonly options: SuperviseOptions & { entry: string };
  /** What `--env` sets: a part of the release, to which a reload may add. */
  readonly set: Readonly<Record<string, string>>;
}

/**
 * Puts command line and config together, all but the `env` of the config.
 *
 * An entry of the command line is meant from where the operator stands, even if the config names another directory for
 * the app, but from `--cwd` if that is given beside it, as in `reload`; an entry of the config is meant from that directory.
 *
 * @throws HANDOVER_ERR_OPTION_ENTRY
 */
export function mergeRun({ flags, entry, app }: Given, config: Config, here: string): Merged {
  const { entry: usual, args, env: _env, cwd, ...said } = config;
  // `handover run -- server.js`: without an entry anywhere else, the first argument is it.
  const [first, ...others] = entry === null && usual === undefined ? (app ?? []) : [];
  const named = entry ?? first ?? null;
  const { entry: own, args: _args, env: set, ...release } = readRelease({ flags, entry: named, app: null }, here);
  const folder = release.cwd ?? (cwd === undefined ? undefined : resolve(here, cwd));
  const start = folder === undefined ? (named ?? usual) : (own ?? usual);
  if (start === undefined) {
    throw new HandoverError('HANDOVER_ERR_OPTION_ENTRY', {
      what: 'Nothing to run',
      why: 'no entry was given, neither as an argument nor as "entry" in a config',
      fix: 'Give the path of the file that starts the app, as in `handover run server.js`'
    });
  }
  const rest = first === undefined ? app : others;
  const options = Object.entries(flags).filter(([name]) => Object.hasOwn(OPTIONS, name));
  return {
    options: {
      ...said,
      ...Object.fromEntries(options),
      ...release,
      entry: start,
      args: rest ?? args ?? [],
      ...(folder === undefined ? {} : { cwd: folder })
    },
    set: set ?? {}
  };
}
