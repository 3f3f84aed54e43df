import { once } from 'node:events';
import { resolve } from 'node:path';
import type { ReleaseOrder } from '../../core/state/state.ts';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import { OPTIONS } from '../../options/options.ts';
import type { SuperviseOptions } from '../../supervise.ts';
import { type Config, mergeLayers, readLayers } from '../config.ts';
import { createOptionFlags } from '../flags.ts';
import { createReleaseFlags, readRelease } from '../release-flags.ts';
import type { Command, Given } from './command.ts';

const STOPPED_EARLY: readonly string[] = ['HANDOVER_ERR_CANDIDATE_ABANDONED', 'HANDOVER_ERR_REFUSED_STOPPING'];

export const run: Command = {
  name: 'run',
  operands: ['[entry]', '[args...]'],
  about: 'Run an app under a supervisor, in the foreground.',
  details: `The options above are recognised before the entry and directly after it. The arguments of the app begin at
the first one after the entry that is none of them, or after \`--\`; from there on everything goes to the
app untouched:

  handover run server.js --listen 80 --workers 2
  handover run --listen 80 server.js --app-flag 1 --workers 7     (the app gets --app-flag 1 --workers 7)
  handover run server.js -- --name "for the app"

The options, and entry, args, cwd, env, envFile, node, nodeOptions and label, may also stand in
handover.config.{mjs,js,json,ts} in the working directory, or under "handover" in its package.json. A flag wins
over the config file, that over package.json. What --env sets is added to the env of the config.

SIGTERM and SIGINT stop gracefully (a second one hurries), SIGHUP reloads.`,
  flags: () => [...createOptionFlags(), ...createReleaseFlags()],
  async run(given, _io, told) {
    if (given.flags.log === 'json') told.form = 'log';
    const config = mergeLayers(await readLayers(logicalCwd()));
    const { options, set } = mergeRun(given, config, process.env, logicalCwd());
    told.form = options.log === 'json' ? 'log' : 'text';
    // Loaded here and not above: the other commands, which are waited for, do not need it.
    const { startService, silencePreloadedServers } = await import('../../supervise.ts');
    silencePreloadedServers();
    try {
      await once(await startService(options, set), 'stopped');
    } catch (error) {
      // Told to stop while the first generation was starting: that is no failure of `run`.
      if (!HandoverError.is(error) || !STOPPED_EARLY.includes(error.code)) throw error;
    }
  }
};

/** What the command line and the config say together. */
interface Merged {
  readonly options: SuperviseOptions & { entry: string };
  /** What `--env` sets: a part of the release, which a reload may replace. */
  readonly set: Pick<ReleaseOrder, 'env'>;
}

/**
 * Puts command line and config together.
 *
 * An entry of the command line is meant from where the operator stands, even if the config names another directory for
 * the app, but from `--cwd` if that is given beside it, as in `reload`; an entry of the config is meant from that directory.
 *
 * @throws HANDOVER_ERR_OPTION_ENTRY
 */
export function mergeRun({ flags, entry, app }: Given, config: Config, env: NodeJS.ProcessEnv, here: string): Merged {
  const { entry: usual, args, env: added, cwd, ...said } = config;
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
      ...(folder === undefined ? {} : { cwd: folder }),
      ...(added === undefined ? {} : { env: { ...env, ...added } })
    },
    set: set === undefined ? {} : { env: set }
  };
}
