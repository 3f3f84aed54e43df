import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { HandoverError, systemCode } from '../../errors.ts';
import { isObject } from '../../options/fields.ts';
import { explainThrown } from '../explain-config.ts';
import { loadModule } from '../load-module.ts';

/** What a file of PM2 says, as it stands there. */
export interface Ecosystem {
  /** Its path, absolute. */
  readonly file: string;
  readonly folder: string;
  readonly apps: readonly Readonly<Record<string, unknown>>[];
  /** Whether it also says where `pm2 deploy` brings it. */
  readonly hasDeploy: boolean;
  /** The names of the environments that any app has beside `env`. */
  readonly environments: readonly string[];
}

/** A file that loops for ever would keep the command for ever. */
const LONGEST_MS = 1_000;

/**
 * Reads a file of PM2: JavaScript is run, as PM2 does; JSON may have comments, as PM2's may.
 *
 * @throws HANDOVER_ERR_OPTION_CONFIG
 */
export async function readEcosystem(given: string, here: string): Promise<Ecosystem> {
  const file = resolve(here, given);
  const said = await load(file);
  // Of a package.json only what is PM2's.
  const all = basename(file) === 'package.json' && isObject(said) ? said.pm2 : said;
  const listed = isObject(all) && 'apps' in all ? all.apps : all;
  const apps = (Array.isArray(listed) ? listed : [listed]).filter(isObject);
  if (apps.length === 0 || !apps.some((app) => 'script' in app || 'exec' in app)) {
    const wants = 'a list "apps" of objects with a "script"';
    throw unusable(file, `it has no app in it: PM2 would read ${wants}${explainPackage(file)}`);
  }
  const names = apps.flatMap((app) => Object.keys(app)).flatMap((key) => /^env_(\S+)$/.exec(key)?.[1] ?? []);
  return {
    file,
    folder: dirname(file),
    apps: apps as Record<string, unknown>[],
    hasDeploy: isObject(all) && isObject(all.deploy),
    environments: [...new Set(names)]
  };
}

function explainPackage(file: string): string {
  return basename(file) === 'package.json' ? ' under "pm2"' : '';
}

async function load(file: string): Promise<unknown> {
  try {
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    if (/\.ya?ml$/.test(file)) return (await import('yaml')).parse(text, { merge: true });
    if (file.endsWith('.json')) return toPlain(runInNewContext(`(${text}\n)`, {}, { timeout: LONGEST_MS }));
  } catch (error) {
    throw unusable(file, explainRead(error), error);
  }
  try {
    const loaded = await loadModule(file);
    const exported = 'default' in loaded ? loaded.default : { ...loaded };
    return typeof exported === 'function' ? await exported() : exported;
  } catch (error) {
    throw unusable(file, await explainThrown(error, file), error);
  }
}

/** What was made in another context is no `instanceof` of ours. */
function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function explainRead(error: unknown): string {
  const code = systemCode(error);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'this user may not read it';
  const { name = 'Error', message = String(error) } = error as Partial<Error>;
  return `${name}: ${message.split('\n')[0]}`;
}

function unusable(file: string, why: string, cause?: unknown): HandoverError {
  return new HandoverError(
    'HANDOVER_ERR_OPTION_CONFIG',
    {
      what: `Cannot import ${file}`,
      why,
      fix: 'Name a file that `pm2 start` takes: ecosystem.config.js, .cjs, .mjs, .json or .yaml, or a package.json with "pm2"'
    },
    { cause }
  );
}
