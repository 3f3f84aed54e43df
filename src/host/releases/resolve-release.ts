import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Release, ReleaseOrder } from '../../core/state/state.ts';
import { type ErrorCode, HandoverError, systemCode } from '../../errors.ts';
import { splitNodeOptions } from '../../options/node-options.ts';
import { type Asked, explainFile, explainWords } from '../entry/explain-entry.ts';
import { explainAbsent } from './absent-entry.ts';
import { findEntryFile } from './entry-file.ts';
import { checkNode, readEnvFile } from './environment.ts';
import { findLabel } from './label.ts';

/** What a release starts from as far as no reload was told otherwise: what the config and the flags of `run` say. */
export interface ReleaseBase {
  readonly entry: string;
  readonly folder: string;
  readonly args: readonly string[];
  /** Set over the environment of the app, below the env file. */
  readonly env?: Readonly<Record<string, string>>;
  /** Set over the env file. */
  readonly set?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly node?: string;
  readonly nodeOptions?: readonly string[];
  readonly label?: string;
}

/**
 * Resolves an order to a release: real paths, found anew each time, for what `current` points to now is what starts.
 *
 * What the order does not say is what reloads were told before, and else what the base says; the env file is read again.
 *
 * @param asked what reloads were told before
 * @param active the generation that serves meanwhile; without one an unusable entry is wrong usage, with one a failed
 * deploy
 * @param appEnv the environment of the app, over which that of the release is set
 * @throws HANDOVER_ERR_OPTION_ENTRY, HANDOVER_ERR_CANDIDATE_ENTRY
 */
export async function resolveRelease(
  order: ReleaseOrder,
  base: ReleaseBase,
  asked: Release['asked'],
  active: number | null,
  appEnv: NodeJS.ProcessEnv = process.env
): Promise<Release> {
  const fail = failing(active);
  const told = tell(order, asked, base.folder);
  const { entry, args } = { ...base, ...told };
  const folder = told.cwd ?? base.folder;
  const envFile = told.envFile ?? base.envFile ?? null;
  const node = told.node ?? base.node ?? null;
  const nodeOptions = splitNodeOptions(told.nodeOptions ?? base.nodeOptions ?? []);
  const command = active === null ? 'handover run' : 'handover reload';
  const read = envFile === null ? {} : readEnv(resolve(folder, envFile), fail);
  const env = { ...base.env, ...read, ...base.set, ...told.env };
  const all = [...nodeOptions, ...process.execArgv, ...(env.NODE_OPTIONS ?? appEnv.NODE_OPTIONS ?? '').split(/\s+/)];
  const file = findEntry({ entry, args, folder, nodeOptions: all, otherNode: node !== null, command }, fail);
  const cwd = realFolder(folder);
  if (cwd === null && order.cwd !== undefined)
    throw fail(`Cannot start in ${order.cwd}`, `${folder} is not a folder that can be read`, 'Give one with --cwd');
  return {
    entry,
    file,
    // The folder of an old release may be gone by now: the next one starts in its own.
    cwd: cwd ?? dirname(file),
    folder,
    args,
    env,
    envFile,
    node: node === null ? null : await findNode(resolve(folder, node), fail),
    nodeOptions,
    label: order.label ?? base.label ?? findLabel(file),
    asked: told
  };
}

/** What an order adds to what reloads were told before: variables are added one by one. */
function tell(order: ReleaseOrder, asked: Release['asked'], folder: string): Release['asked'] {
  const { label: _label, cwd, env, ...rest } = order;
  return {
    ...asked,
    ...rest,
    ...(cwd === undefined ? {} : { cwd: resolve(asked.cwd ?? folder, cwd) }),
    ...(env === undefined ? {} : { env: { ...asked.env, ...env } })
  };
}

type Fail = (what: string, why: string, fix: string, cause?: unknown) => HandoverError;

function failing(active: number | null): Fail {
  const code: ErrorCode = active === null ? 'HANDOVER_ERR_OPTION_ENTRY' : 'HANDOVER_ERR_CANDIDATE_ENTRY';
  const serving = active === null ? 'nothing was started' : `generation ${active} is still active`;
  return (what, why, fix, cause) =>
    new HandoverError(code, { what, why, fix: `${fix}; ${serving}` }, { cause, active });
}

function findEntry(asked: Asked, fail: Fail): string {
  const { entry, folder } = asked;
  const path = resolve(folder, entry);
  const refuse = (why: string, fix = 'Give the path of the file that starts the app', cause?: unknown) =>
    fail(`Cannot start ${entry}`, why, fix, cause);
  try {
    const file = findEntryFile(path);
    if (file === null) {
      const { why, fix } = explainWords(asked) ?? explainAbsent(entry, folder);
      throw refuse(why, fix);
    }
    const other = explainFile(file, asked);
    if (other !== null) throw refuse(other.why, other.fix);
    return file;
  } catch (error) {
    if (HandoverError.is(error)) throw error;
    const reason = systemCode(error);
    throw refuse(
      `${path} cannot be read (${reason ?? 'unknown error'})`,
      'Let this user read it, and the folders above it',
      error
    );
  }
}

function readEnv(path: string, fail: Fail): Readonly<Record<string, string>> {
  try {
    return readEnvFile(path);
  } catch (error) {
    throw fail('Cannot read the env file', (error as Error).message, 'Mend it, or give another with --env-file', error);
  }
}

async function findNode(path: string, fail: Fail): Promise<string | null> {
  try {
    return await checkNode(path);
  } catch (error) {
    throw fail('Cannot use this Node', (error as Error).message, 'Give the path of a Node binary with --node', error);
  }
}

function realFolder(folder: string): string | null {
  try {
    const real = realpathSync(folder);
    return statSync(real).isDirectory() ? real : null;
  } catch {
    return null; // gone, or not for this user: what that means is for the caller to say
  }
}

/** Names an app: the nearest package.json's name, else the file name. A package that is installed is not the app. */
export function nameApp(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const name = /[\\/]node_modules(?:[\\/]|$)/.test(folder) ? null : readName(join(folder, 'package.json'));
    if (name !== null) return name;
    if (folder === dirname(folder)) return basename(file, extname(file));
  }
}

function readName(path: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null; // no package.json here, or none that says a name: the next folder up may
  }
}
