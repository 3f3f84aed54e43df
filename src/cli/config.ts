import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HandoverError, systemCode } from '../errors.ts';
import { ARGUMENTS, ENVIRONMENT, type Field, isObject, NAME, NODE_OPTIONS, PATH } from '../options/fields.ts';
import { OPTIONS } from '../options/options.ts';
import { readEach, unknownOption } from '../options/read-options.ts';
import type { UserOptions } from '../options/user-options.ts';
import { explainJson, explainThrown, quoteJsonError } from './explain-config.ts';
import { loadModule } from './load-module.ts';

/** What a config may say: the options, and what the command line says otherwise. */
export interface Config extends UserOptions {
  entry?: string;
  args?: readonly string[];
  /** Set over the environment of the supervisor, for the app. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  envFile?: string;
  node?: string;
  nodeOptions?: string | readonly string[];
  label?: string;
}

/** What one place says, as it was written. */
export interface Layer {
  /** Where it was read, for messages. */
  readonly source: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The names of a config file; the first that is there is read. */
export const FILES = ['handover.config.mjs', 'handover.config.js', 'handover.config.json', 'handover.config.ts'];

/** Names that a config file might have, and does not. */
const NOT_READ = /^handover\.config\.(?:cjs|[cm]ts|json[c5]|ya?ml|toml)$/;

/** What a config may say beside the options. */
const EXTRAS: Readonly<Record<string, Field>> = {
  entry: { ...PATH, wants: 'the path of the file that starts the app' },
  args: ARGUMENTS,
  env: ENVIRONMENT,
  cwd: { ...PATH, wants: 'the path of a folder' },
  envFile: PATH,
  node: PATH,
  nodeOptions: { ...NODE_OPTIONS, read: (given) => NODE_OPTIONS.read([given].flat()) },
  label: NAME
};

/**
 * Reads the config of a folder: its package.json's "handover" key, then the first config file.
 *
 * @returns the lowest precedence first
 * @throws HANDOVER_ERR_OPTION_CONFIG
 */
export async function readLayers(folder: string): Promise<readonly Layer[]> {
  const manifest = readManifest(folder);
  const file = findFile(folder);
  const config = file === undefined ? undefined : await load(folder, file);
  return [manifest, config].filter((layer) => layer !== undefined);
}

/**
 * Puts the layers of a config together; a later one wins, option by option.
 *
 * @throws HANDOVER_ERR_OPTION_UNKNOWN, HANDOVER_ERR_OPTION_INVALID, saying where
 */
export function mergeLayers(layers: readonly Layer[]): Config {
  for (const layer of layers) check(layer);
  const said = layers.flatMap(({ values }) => Object.entries(values)).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as Config;
}

/** The part of a config that says which supervisor the folder belongs to. The rest is not looked at. */
export function pickPlace(layers: readonly Layer[]): { name?: string; socket?: string } {
  return mergeLayers(
    layers.map(({ source, values }) => {
      const known = Object.entries(values).filter(([name]) => name === 'name' || name === 'socket');
      return { source, values: Object.fromEntries(known) };
    })
  );
}

function check({ source, values }: Layer): void {
  try {
    const options: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      const extra = Object.hasOwn(EXTRAS, name) ? EXTRAS[name] : undefined;
      if (Object.hasOwn(OPTIONS, name)) options[name] = value;
      else if (!extra) throw unknownOption(name, [...Object.keys(EXTRAS), ...Object.keys(OPTIONS)]);
      else if (extra.read(value) === undefined) throw invalidExtra(name, extra.wants, value);
    }
    readEach(options);
  } catch (error) {
    const { code, what, why, fix } = HandoverError.from(error);
    throw new HandoverError(code, { what: `${source}: ${what}`, why, fix }, { cause: error });
  }
}

function invalidExtra(name: string, wants: string, value: unknown): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `Option "${name}" is not usable`,
    // The values of an environment are nobody's business.
    why: name === 'env' ? `it must be ${wants}` : `it must be ${wants}, and it is ${JSON.stringify(value)}`,
    fix: 'Remove it, or correct it'
  });
}

/** The first file of those names. One that only seems to be a config would be a trap. */
function findFile(folder: string): string | undefined {
  const file = FILES.find((name) => isFile(join(folder, name)));
  const other = file === undefined ? listFolder(folder).find((name) => NOT_READ.test(name)) : undefined;
  if (other !== undefined)
    throw unusable(other, 'a config of this name is not read', `Call it one of ${FILES.join(', ')}`);
  return file;
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not for this user to list: what is there by its name was found before
  }
}

function readManifest(folder: string): Layer | undefined {
  const source = 'package.json';
  const path = join(folder, source);
  if (!isFile(path)) return undefined;
  const manifest = parse(path, source);
  const values = isObject(manifest) ? manifest.handover : undefined;
  return values === undefined ? undefined : toLayer(`"handover" in ${source}`, values);
}

async function load(folder: string, source: string): Promise<Layer> {
  const path = join(folder, source);
  if (source.endsWith('.json')) return toLayer(source, parse(path, source));
  let loaded: Record<string, unknown>;
  try {
    loaded = await loadModule(path);
  } catch (error) {
    const untyped = systemCode(error) === 'ERR_UNKNOWN_FILE_EXTENSION';
    const why = untyped ? `Node ${process.version} does not run TypeScript` : await explainThrown(error, path);
    throw unusable(source, why, undefined, error);
  }
  return toLayer(source, 'default' in loaded ? loaded.default : { ...loaded });
}

function parse(path: string, source: string): unknown {
  let text = '';
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw unusable(source, (error as Error).message, undefined, error);
    const why = explainJson(text) ?? quoteJsonError(error, text);
    const asModule = source === 'package.json' ? '' : ', or write it as JavaScript in handover.config.js';
    throw unusable(source, why, `Correct it${asModule}`, error);
  }
}

function toLayer(source: string, values: unknown): Layer {
  if (isObject(values)) return { source, values };
  const found = values === null ? 'null' : Array.isArray(values) ? 'a list' : `a ${typeof values}`;
  throw unusable(source, `it must be an object of options, and it is ${found}`);
}

function unusable(
  source: string,
  why: string,
  fix = 'Correct the file, or remove it and use flags',
  cause?: unknown
): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_CONFIG', { what: `Cannot use ${source}`, why, fix }, { cause });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
