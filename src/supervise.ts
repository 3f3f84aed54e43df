import { RELOAD, readOrder } from './control/bodies.ts';
import type { ReloadOrder } from './control/routes.ts';
import { HandoverError } from './errors.ts';
import { nameApp, resolveRelease } from './host/releases/resolve-release.ts';
import { becomeUser } from './host/rights/become-user.ts';
import { Succession } from './host/succession.ts';
import { withoutSystemd } from './host/systemd-environment.ts';
import { logicalCwd } from './options/cwd.ts';
import type { Options } from './options/options.ts';
import { readOptions } from './options/read-options.ts';
import type { UserOptions } from './options/user-options.ts';
import { administer } from './supervisor/administer.ts';
import { type ConfigSource, type Reading, settingsOf } from './supervisor/configuration.ts';
import type { ServiceEvents } from './supervisor/events.ts';
import { joinFleet } from './supervisor/join-fleet.ts';
import { prepareApp, refuseUser } from './supervisor/prepare-app.ts';
import { RunningService } from './supervisor/running-service.ts';
import type { Service } from './supervisor/service.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { informSystemd } from './supervisor/systemd.ts';
import { workerGlobal } from './worker/globals.ts';

export { silencePreloadedServers } from './host/preloaded-servers.ts';
export type { Service, ServiceEvents };

/** Options of {@link supervise}: those of `handover run`, and what its command line says by other means. */
export interface SuperviseOptions extends UserOptions {
  /** Path of the file that starts the app, relative to `cwd`. Not with a function, whose own file is the entry. */
  entry?: string;
  /** Arguments for the app, as it finds them in `process.argv` from index 2 on. Default: none. */
  args?: readonly string[];
  /** Working directory of the app; a symlink is resolved anew at each reload. Default: that of the supervisor. */
  cwd?: string;
  /** The whole environment of the app. Default: `process.env` of the supervisor. */
  env?: NodeJS.ProcessEnv;
  /** A file of `KEY=value` lines, set over the environment and read anew at each reload. */
  envFile?: string;
  /** Another Node binary for the app. */
  node?: string;
  /** Options for Node itself, such as `--import=tsx`. */
  nodeOptions?: string | readonly string[];
  /** Name of the first version. Default: its git commit, else its package.json version. */
  label?: string;
  /** Whether SIGTERM and SIGINT stop the service, SIGHUP reloads it, and systemd is told how it is. Default: true. */
  signals?: boolean;
}

/**
 * Supervises a service: owns its listeners, starts its workers and hands over from version to version.
 *
 * Settles when the first generation is active: its workers are ready, checked where checks are asked for, and accepting.
 *
 * @throws HANDOVER_ERR_OPTION_*, HANDOVER_ERR_LISTEN_*, HANDOVER_ERR_CANDIDATE_*, HANDOVER_ERR_CONTROL_SOCKET,
 * HANDOVER_ERR_REFUSED_NAME_TAKEN, HANDOVER_ERR_REFUSED_STOPPING; nothing is left running then
 * @example
 * const service = await supervise({ entry: './server.js', listen: 80, workers: 2 });
 * service.on('cutover', ({ from, to }) => console.log(`generation ${from} -> ${to}`));
 * await service.reload();
 */
export async function supervise(options: SuperviseOptions & { entry: string }): Promise<Service>;
/**
 * Supervises the app that a function starts. The calling file is the entry: this process supervises, and each worker runs
 * the file again up to this call, which there runs the function and never settles.
 *
 * In the supervisor it settles when the first generation is active, as with an entry.
 *
 * @param run starts the app; it is called in the workers only, and a promise is awaited
 * @throws the same codes as with an entry
 * @example
 * await supervise(() => createServer((request, response) => response.end('hello')).listen(3000), { listen: 80 });
 * // what follows runs in the supervisor only
 */
export async function supervise(run: () => unknown, options?: Omit<SuperviseOptions, 'entry'>): Promise<Service>;
export async function supervise(
  first: (() => unknown) | (SuperviseOptions & { entry: string }),
  second: SuperviseOptions = {}
): Promise<Service> {
  if (typeof first === 'function') {
    if (workerGlobal()) return runAsWorker(first);
    refuseUser(second);
    return startService({ ...second, entry: process.argv[1] ?? '' });
  }
  return startService(first);
}

/** What `handover run` says: options, and what only its command line and config have. */
export interface RunOptions {
  readonly options: SuperviseOptions;
  /** Set over the environment, below the env file: what the config says. */
  readonly env: Readonly<Record<string, string>>;
  /** Set over the env file: what the command line says. */
  readonly set: Readonly<Record<string, string>>;
  readonly written: Reading['written'];
  readonly flags: Reading['flags'];
  readonly files: Reading['files'];
}

/** Where all of that can be read anew. */
export interface RunSource {
  /** @throws HANDOVER_ERR_OPTION_* */
  read(): Promise<RunOptions>;
  look(): Reading['files'];
}

/**
 * Says what `run` would start, without starting it.
 *
 * @throws HANDOVER_ERR_OPTION_*
 */
export async function previewRun(first: RunOptions): Promise<{ name: string; folder: string; options: Options }> {
  const { options, base } = readRun(first);
  const { file } = await resolveRelease({}, base, {}, null);
  return { name: options.name ?? nameApp(file), folder: base.folder, options };
}

/** Starts a service whose config is read anew at each reload. */
export function startRun(first: RunOptions, source: RunSource): Promise<Service> {
  return start(first.options, readRun(first), { read: async () => readRun(await source.read()), look: source.look });
}

/** Tells the supervisor that started this one to take its place why it cannot. Without one, nothing. */
export function tellPredecessor(error: unknown): void {
  Succession.read()?.say({ failed: HandoverError.from(error).message });
}

/** Starts a service from options that stay. */
export function startService(options: SuperviseOptions): Promise<Service> {
  const nothing = { env: {}, set: {}, written: new Map(), flags: new Set<string>(), files: new Map() };
  return start(options, readRun({ options, ...nothing }), null);
}

async function start(options: SuperviseOptions, first: Reading, source: ConfigSource | null): Promise<Service> {
  const { signals = true } = options;
  const succession = Succession.read();
  await becomeUser(first.options, first.base.folder);
  const env = withoutSystemd(options.env ?? process.env);
  const settings = settingsOf(first.options, null);
  const release = { ...(await resolveRelease({}, first.base, {}, null, env)), settings };
  const { app, configuration, notes } = await prepareApp(first, source, release, env);
  const supervisor = new Supervisor(app, configuration);
  // Who does not want signals is in charge of the process, and tells systemd what is to be told of it.
  if (signals) informSystemd(supervisor);
  if (succession?.isTrial) {
    // That is all that was to be seen: whoever started it ends it.
    succession.say({ done: true });
    return new Promise<never>(() => {});
  }
  for (const note of notes) supervisor.warn(note);
  const { onEvent } = first.options;
  const told = onEvent ? (await import('./supervisor/tell-events.ts')).tellEvents(supervisor, onEvent) : null;
  const admin = await administer(supervisor, configuration.optionsOf(undefined));
  const fleet = await joinFleet(supervisor, configuration);
  await admin.open(succession === null && !supervisor.takesOver());
  try {
    await supervisor.start(release, signals, succession);
  } catch (error) {
    admin.close();
    throw error;
  }
  fleet?.begin();
  return new RunningService(supervisor, told);
}

/** @throws HANDOVER_ERR_OPTION_* */
function readRun({ options: all, env, set, written, flags, files }: RunOptions): Reading {
  const { entry, args = [], cwd, env: _env, signals: _signals, envFile, node, nodeOptions, label, ...given } = all;
  const options = readOptions(given);
  if (typeof entry !== 'string' || entry === '') {
    throw new HandoverError('HANDOVER_ERR_OPTION_ENTRY', {
      what: 'Nothing to supervise',
      why: 'no entry was given',
      fix: 'Give the path of the file that starts the app, or a function'
    });
  }
  const named = { envFile, node, nodeOptions: nodeOptions === undefined ? undefined : [nodeOptions].flat(), label };
  const said = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  const order = readOrder<ReloadOrder>('What was given to supervise()', said, RELOAD, 'HANDOVER_ERR_OPTION_INVALID');
  return { options, base: { entry, folder: cwd ?? logicalCwd(), args, env, set, ...order }, written, flags, files };
}

/** In a worker, what follows `supervise()` in the file must not run: the promise never settles. */
async function runAsWorker(run: () => unknown): Promise<never> {
  // Node would call the unsettled promise an error (exit code 13) when the app is done and its loop is empty.
  process.once('beforeExit', (code) => process.exit(code));
  await run();
  return new Promise<never>(() => {});
}
