import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { isObject } from '../../options/fields.ts';
import { readName } from '../../options/readers.ts';
import { toCalendar } from './cron.ts';
import { findStart, type Start } from './find-start.ts';
import { type AddNote, type Given, type Limits, readMemory, readOptionsOf, readTime } from './options-of.ts';
import { toWords } from './split-words.ts';
import { ALIASES, OF_NO_MATTER, WITHOUT } from './without.ts';

/** An option of PM2 that has no counterpart, or does something else here. */
export interface Note {
  readonly option: string;
  /** As it was written, in short; null where it may hold secrets. */
  readonly value: string | null;
  readonly instead: string;
}

/** What becomes of one app of PM2. */
export interface Translated {
  readonly name: string;
  readonly cwd: string;
  /** A service of handover; a program that is kept running without it; one that runs at its times and ends. */
  readonly kind: 'handover' | 'program' | 'job';
  /** Why it is not for handover. */
  readonly why: string | null;
  readonly start: Start;
  /** The config of handover, without `cwd` and `env`; of a program empty. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly limits: Limits;
  readonly env: Readonly<Record<string, string>>;
  readonly output: { readonly out?: string; readonly error?: string };
  readonly user: string | null;
  readonly group: string | null;
  /** The commands of a deploy, before its reload. */
  readonly deploy: readonly string[];
  /** When it is to be reloaded, or run, as systemd says it. */
  readonly calendar: readonly string[];
  /** The options of PM2 that were taken over, in their order. */
  readonly taken: readonly string[];
  readonly notes: readonly Note[];
}

/**
 * Translates one app of a file of PM2.
 *
 * @param environment of `env_*`, the one that is set over `env`; null for none
 */
export function translate(given: Given, folder: string, environment: string | null): Translated {
  const app = byOneName(given);
  const notes: Note[] = [];
  const note = (option: string, instead: string) =>
    notes.push({ option, value: /^env/.test(option) ? null : show(given[option] ?? app[option]), instead });
  const cwd = resolve(folder, withHome(text(app.cwd) ?? '.'));
  const script = text(app.script) ?? '';
  const name = readName(text(app.name) ?? basename(script, extname(script))) ?? 'app';
  const start = findStart({
    script: withHome(script),
    args: toWords(app.args),
    interpreter: app.exec_interpreter === undefined ? null : withHome(text(app.exec_interpreter) ?? 'none'),
    nodeArgs: toWords(app.node_args),
    cwd
  });
  const calendar = readCron(app, note);
  const isJob = calendar.length > 0 && (app.autorestart === false || 'stop_exit_codes' in app);
  const kind = isJob ? 'job' : start.kind === 'program' ? 'program' : 'handover';
  if (start.kind === 'node')
    for (const [option, said] of start.notes)
      note(option === 'interpreter' ? nameOf(given, 'exec_interpreter') : option, said);
  const memory = readMemory(app.max_memory_restart, note);
  const limits = {
    ...readTime('drainTimeout', app, 'kill_timeout', note),
    ...(memory === null ? {} : { maxMemory: memory })
  };
  const env = readEnvironment(app, start, environment);
  const options =
    kind === 'handover' && start.kind === 'node' ? readOptionsOf(app, name, start, limits, env, note) : {};
  noteMissing(cwd, start, note);
  const isUnread = (option: string) => UNREAD.includes(option) && notes.some((one) => one.option === option);
  const taken = Object.keys(given).filter((key) => {
    const option = ALIASES[key] ?? key;
    return isTaken(option, environment) && !isUnread(option);
  });
  for (const [key, value] of Object.entries(given)) noteOne(ALIASES[key] ?? key, key, value, kind, environment, note);
  const why = isJob ? 'it runs at its times and ends' : start.kind === 'program' ? start.why : null;
  return {
    ...{ name, cwd, kind, why, start, options, limits, calendar, taken, notes },
    env,
    deploy: readDeploy(app.post_update),
    output: readOutput(app, cwd),
    user: text(app.uid),
    group: text(app.gid)
  };
}

function readDeploy(given: unknown): readonly string[] {
  return (Array.isArray(given) ? given : [given]).filter((one) => typeof one === 'string' && one !== '') as string[];
}

function readCron({ cron_restart: given }: Given, note: AddNote): readonly string[] {
  if (given === undefined || given === null || given === false || String(given) === '0') return [];
  const lines = (Array.isArray(given) ? given : [given]).flatMap((one) => toCalendar(String(one)) ?? ['']);
  if (!lines.includes('')) return lines;
  note('cron_restart', 'it is no pattern of cron that is known here: write a timer unit (man systemd.time)');
  return [];
}

function readEnvironment(app: Given, start: Start, environment: string | null): Readonly<Record<string, string>> {
  const own = environment === null ? undefined : app[`env_${environment}`];
  const port = app.port === undefined ? {} : { PORT: app.port };
  const all = { ...(start.kind === 'node' ? start.env : {}), ...port, ...object(app.env), ...object(own) };
  const said = Object.entries(all).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    said.map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : String(value)])
  );
}

function readOutput({ out_file: out, error_file: error }: Given, cwd: string): Translated['output'] {
  const path = (given: unknown) => {
    const file = text(given);
    return file === null ? undefined : file === 'NULL' ? '/dev/null' : resolve(cwd, withHome(file));
  };
  const [outPath, errorPath] = [path(out), path(error)];
  return { ...(outPath ? { out: outPath } : {}), ...(errorPath ? { error: errorPath } : {}) };
}

/** What is taken over from PM2, of whatever kind the app is. */
const TAKEN: readonly string[] = [
  ...['name', 'script', 'args', 'cwd', 'instances', 'exec_mode', 'env', 'port', 'wait_ready', 'listen_timeout'],
  ...['kill_timeout', 'max_memory_restart', 'node_args', 'exec_interpreter', 'out_file', 'error_file', 'cron_restart'],
  ...['uid', 'gid', 'env_file', 'increment_var', 'post_update']
];

/** Of these a note says that their value could not be read; of others, that they do something else here. */
const UNREAD: readonly string[] = ['cron_restart', 'kill_timeout', 'listen_timeout', 'max_memory_restart'];

/** What is built only at a deploy may be missing today; a slip of the pen may, too. */
function noteMissing(cwd: string, start: Start, note: AddNote): void {
  if (!existsSync(cwd))
    note('cwd', `there is no folder ${cwd} on this machine: it must be there before the service starts`);
  else if (start.kind === 'node' && !existsSync(resolve(cwd, start.entry)))
    note(
      'script',
      `there is no file ${resolve(cwd, start.entry)} on this machine: it must be there before the service starts`
    );
}

function isTaken(option: string, environment: string | null): boolean {
  return TAKEN.includes(option) || option === `env_${environment}`;
}

/** Of a program without handover less is left to be said: systemd restarts it, and that is all. */
const OF_PROGRAMS = ['autorestart', 'stop_exit_codes', 'max_restarts', 'min_uptime', 'restart_delay', 'treekill'];

function noteOne(
  option: string,
  written: string,
  value: unknown,
  kind: Translated['kind'],
  environment: string | null,
  note: AddNote
): void {
  const isSilent =
    value === false || value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  if (/^env_(?!file$)/.test(option) && option !== `env_${environment}`) {
    return note(written, `another environment: --env-name ${option.slice('env_'.length)} takes it over`);
  }
  if (isTaken(option, environment) || OF_NO_MATTER.includes(option)) return;
  if (kind !== 'handover' && (OF_PROGRAMS.includes(option) || option === 'exp_backoff_restart_delay')) return;
  const isMeantFalse = option === 'autorestart' || option === 'treekill';
  if (isMeantFalse ? value !== false : isSilent) return;
  if (option === 'source_map_support') return;
  note(written, WITHOUT[option] ?? 'no option of PM2 that is known: nothing was made of it');
}

function byOneName(given: Given): Given {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [ALIASES[key] ?? key, value]));
}

function nameOf(given: Given, option: string): string {
  return Object.keys(given).find((key) => (ALIASES[key] ?? key) === option) ?? option;
}

function show(value: unknown): string | null {
  const shown = JSON.stringify(value);
  if (shown === undefined) return null;
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}

function text(given: unknown): string | null {
  if (typeof given === 'number') return String(given);
  return typeof given === 'string' && given !== '' ? given : null;
}

function object(given: unknown): Record<string, unknown> {
  return isObject(given) ? given : {};
}

function withHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
