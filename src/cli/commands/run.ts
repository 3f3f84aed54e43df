import { once } from 'node:events';
import { resolve } from 'node:path';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import type { SuperviseOptions } from '../../supervise.ts';
import { type Config, mergeLayers, readLayers } from '../config.ts';
import { createRunFlags } from '../flags.ts';
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

The options, and entry, args, env and cwd, may also stand in handover.config.{mjs,js,json,ts} in the working
directory, or under "handover" in its package.json. A flag wins over the config file, that over package.json.

SIGTERM and SIGINT stop gracefully (a second one hurries), SIGHUP reloads.`,
  flags: createRunFlags,
  async run(given, _io, told) {
    if (given.flags.log === 'json') told.form = 'log';
    const config = mergeLayers(await readLayers(logicalCwd()));
    const options = mergeRun(given, config, process.env, logicalCwd());
    told.form = options.log === 'json' ? 'log' : 'text';
    // Loaded here and not above: the other commands, which are waited for, do not need it.
    const { supervise } = await import('../../supervise.ts');
    try {
      await once(await supervise(options), 'stopped');
    } catch (error) {
      // Told to stop while the first generation was starting: that is no failure of `run`.
      if (!HandoverError.is(error) || !STOPPED_EARLY.includes(error.code)) throw error;
    }
  }
};

/**
 * Puts command line and config together.
 *
 * An entry of the command line is meant from where the operator stands, even if the config names another directory for
 * the app; an entry of the config is meant from that directory.
 *
 * @throws HANDOVER_ERR_OPTION_ENTRY
 */
export function mergeRun(
  { flags, entry, app }: Given,
  config: Config,
  env: NodeJS.ProcessEnv,
  here: string
): SuperviseOptions & { entry: string } {
  const { entry: usual, args, env: added, cwd, ...options } = config;
  // `handover run -- server.js`: without an entry anywhere else, the first argument is it.
  const [first, ...others] = entry === null && usual === undefined ? (app ?? []) : [];
  const named = entry ?? first;
  const folder = cwd === undefined ? undefined : resolve(here, cwd);
  const start = named === undefined ? usual : folder === undefined ? named : resolve(here, named);
  if (start === undefined) {
    throw new HandoverError('HANDOVER_ERR_OPTION_ENTRY', {
      what: 'Nothing to run',
      why: 'no entry was given, neither as an argument nor as "entry" in a config',
      fix: 'Give the path of the file that starts the app, as in `handover run server.js`'
    });
  }
  const rest = first === undefined ? app : others;
  return {
    ...options,
    ...flags,
    entry: start,
    args: rest ?? args ?? [],
    ...(folder === undefined ? {} : { cwd: folder }),
    ...(added === undefined ? {} : { env: { ...env, ...added } })
  };
}
