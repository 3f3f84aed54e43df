import { socketPath } from '../control/socket-path.ts';
import type { Notice, Release } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import { linkPath } from '../host/links.ts';
import { nameApp } from '../host/releases/resolve-release.ts';
import { Users } from '../host/rights/users.ts';
import { logicalCwd } from '../options/cwd.ts';
import type { UserOptions } from '../options/user-options.ts';
import { type ConfigSource, Configuration, type Reading } from './configuration.ts';
import type { App } from './start-worker.ts';
import { trustConfig } from './trusted-config.ts';

interface Prepared {
  readonly app: App;
  readonly configuration: Configuration;
  /** What is to be said once there is a log. */
  readonly notes: readonly Notice[];
}

/**
 * Names an app, and finds out as whom it can run and which config counts.
 *
 * @param env the environment of the app
 * @throws HANDOVER_ERR_OPTION_USER
 */
export async function prepareApp(
  first: Reading,
  source: ConfigSource | null,
  release: Release,
  env: NodeJS.ProcessEnv
): Promise<Prepared> {
  const { options } = first;
  const name = options.name ?? nameApp(release.file);
  const users = new Users(linkPath(options.socket ?? socketPath(name)));
  await users.prepare(options, release);
  const notes: Notice[] = [];
  const note = (level: 'info' | 'warn', reason: string) => notes.push({ level, event: 'user-limited', reason });
  if (users.lacks !== null) note('warn', users.lacks);
  const trusted = trustConfig(source, first, { users, folder: logicalCwd(), onUnread: (why) => note('info', why) });
  const configuration = new Configuration(first, trusted);
  configuration.keep(release, first);
  return { app: { name, env, users }, configuration, notes };
}

/**
 * Refuses another user for an app that is a function: its file has run up to this call by now, as whoever started it.
 *
 * @throws HANDOVER_ERR_OPTION_USER
 */
export function refuseUser({ user, group }: UserOptions): void {
  if (user === undefined && group === undefined) return;
  throw new HandoverError('HANDOVER_ERR_OPTION_USER', {
    what: 'Options "user" and "group" cannot be used with a function',
    why: 'the file of the app runs in the supervisor too, up to its call of supervise(), and would do so as root',
    fix: 'Supervise it from another file, with its path as `entry`, or with `handover run`'
  });
}
