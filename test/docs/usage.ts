import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './pages.ts';

// What the command knows, by its own `--help`, and what a text says of it.

const run = promisify(execFile);

/** The flags of each command. */
export type Usage = ReadonlyMap<string, readonly string[]>;

const askHelp = async (...args: string[]): Promise<string> =>
  (await run(process.execPath, [join(ROOT, 'dist/cli.js'), ...args, '--help'])).stdout;

export async function readUsage(): Promise<Usage> {
  const [, list = ''] = (await askHelp()).split('Commands:');
  const names = namesIn(list);
  const pairs = names.map(async (name): Promise<[string, string[]]> => {
    const help = await askHelp(name, '--all');
    const parts = namesIn(help.split('Commands:')[1] ?? '');
    const all = [help, ...(await Promise.all(parts.map((part) => askHelp(name, part, '--all'))))];
    const flags = [...all.join('\n').matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)];
    return [name, flags.map(([, flag]) => flag ?? '')];
  });
  const flags = new Map(await Promise.all(pairs));
  // What it does not take itself is of the `run` that it is about.
  flags.set('install', [...(flags.get('install') ?? []), ...(flags.get('run') ?? [])]);
  return flags.set('help', []);
}

/** The commands of a list in a help. */
function namesIn(list: string): string[] {
  const [commands = ''] = list.split('\n\n');
  return [...commands.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
}

/** Flags of other programs that a text names alone. */
const OTHERS = ['--quick', '--require', '--only'];

/** What a span or a command line says of handover that is not so. */
export function findMistakes(code: string, usage: Usage): string[] {
  const [alone] = /^--[a-z-]+/.exec(code) ?? [];
  if (alone !== undefined) {
    const known = [...usage.values()].some((flags) => flags.includes(alone)) || OTHERS.includes(alone);
    return known ? [] : [`no command has ${alone}`];
  }
  return [...code.matchAll(/(?:^|[\s/])handover ([a-z]+)([^|;&#]*)/g)].flatMap(([, name = '', rest = '']) => {
    const flags = usage.get(name);
    if (!flags) return [`there is no command "${name}"`];
    const [own = ''] = rest.split(' -- ');
    const used = [...own.matchAll(/\s(--[a-z][a-z-]*)/g)].map(([, flag]) => flag ?? '');
    return used.filter((flag) => !flags.includes(flag)).map((flag) => `"${name}" has no ${flag}`);
  });
}

/** The scripts of package.json that a text names. */
export function findScripts(text: string): string[] {
  return [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name ?? '');
}
