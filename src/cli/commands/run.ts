import { once } from 'node:events';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import { createConfigSource } from '../config-source.ts';
import { createOptionFlags } from '../flags.ts';
import { createReleaseFlags } from '../release-flags.ts';
import type { Command } from './command.ts';

const STOPPED_EARLY: readonly string[] = ['HANDOVER_ERR_CANDIDATE_ABANDONED', 'HANDOVER_ERR_REFUSED_STOPPING'];

export const run: Command = {
  name: 'run',
  operands: ['[entry]', '[args...]'],
  about: 'Run an app under a supervisor, in the foreground.',
  details: `Options are recognised before the entry and directly after it. The app's arguments begin at the first one
after the entry that is none, or after \`--\`; from there on everything goes to the app untouched:

  handover run server.js --listen 80 --workers 2
  handover run --listen 80 server.js --app-flag 1 --workers 7     (the app gets --app-flag 1 --workers 7)
  handover run server.js -- --name "for the app"

The options, and entry, args, cwd, env, envFile, node, nodeOptions and label, may also stand in
handover.config.{mjs,js,json,ts} in the working directory, or under "handover" in its package.json. A flag
wins over the file, that over package.json. The config is read anew at each reload.

SIGTERM and SIGINT stop gracefully (a second one hurries), SIGHUP reloads.`,
  common: [
    ...['--listen', '--workers', '--name', '--ready', '--check', '--ready-timeout', '--drain-timeout'],
    ...['--env', '--env-file']
  ],
  flags: () => [...createOptionFlags(), ...createReleaseFlags()],
  async run(given, _io, told) {
    if (given.flags.log === 'json') told.form = 'log';
    // Loaded here and not above: the other commands, which are waited for, do not need it.
    const { startRun, silencePreloadedServers, tellPredecessor } = await import('../../supervise.ts');
    silencePreloadedServers();
    try {
      const source = createConfigSource(given, logicalCwd());
      const first = await source.read();
      told.form = first.options.log === 'json' ? 'log' : 'text';
      const service = await startRun(first, source);
      const superseded = once(service, 'superseded').then(([{ upgraded }]) => (upgraded === true ? 0 : 3));
      const code = await Promise.race([superseded, once(service, 'stopped').then(() => null)]);
      // At once: what is still open here is the other supervisor's, and Node would remove its unix sockets at a usual end.
      if (code !== null) process.exit(code);
      // It has stopped: what is left is to tell of it.
      await service.close();
    } catch (error) {
      tellPredecessor(error);
      // Told to stop while the first generation was starting: that is no failure of `run`.
      if (!HandoverError.is(error) || !STOPPED_EARLY.includes(error.code)) throw error;
    }
  }
};
