import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Refusal } from './refusal.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A command of the bench, and what may be asked of it. */
export interface Command {
  /** As it is typed. */
  readonly name: string;
  readonly about: string;
  /** What `--only` chooses among: the word for one of them, and their names. */
  readonly item: string;
  readonly known: readonly string[];
  /** What `--quick` means. */
  readonly quick: string;
  /** Where the figures go by default, from the root of the repository. */
  readonly json: string;
  /** Whether another build than `dist` can be measured. */
  readonly takesBuild: boolean;
}

/** What was asked of a command. */
export interface Asked {
  /** The whole line, for those who want to ask it again. */
  readonly line: string;
  /** Names that are known, or null for all. */
  readonly only: readonly string[] | null;
  readonly quick: boolean;
  /** The file for the figures. */
  readonly json: string;
  /** The folder of the built package. */
  readonly build: string;
  /** Whether each slice of 50 ms around a deploy is printed, where that is measured. */
  readonly timeline: boolean;
}

const FLAGS = {
  only: { type: 'string', multiple: true },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false }
} as const;
const BUILD = { build: { type: 'string' }, timeline: { type: 'boolean', default: false } } as const;

/** Says how a command is used. */
export function usageOf({ name, about, item, known, quick, json, takesBuild }: Command): string {
  const flags = [
    [`--only <${item}>,...`, `only these; may be repeated: ${known.join(', ')}`],
    ['--quick', quick],
    ['--json <path>', `where the figures go (default: ${json})`],
    ...(takesBuild
      ? [
          ['--build <folder>', 'the built package that is measured (default: dist)'],
          ['--timeline', 'with tail: p50 and p99 of each 50 ms around a deploy']
        ]
      : []),
    ['-h, --help', 'this text']
  ] as const;
  const width = Math.max(...flags.map(([flag]) => flag.length));
  const inShort = flags.slice(0, -1).map(([flag]) => `[${flag}]`);
  const lines = flags.map(([flag, meaning]) => `  ${flag.padEnd(width)}  ${meaning}`);
  return [`usage: ${name} -- ${inShort.join(' ')}`, about, '', ...lines].join('\n');
}

/** Reads what was typed behind a command; null where help was asked for. @throws Refusal of what makes no sense */
export function readCommand(command: Command, args: readonly string[]): Asked | null {
  const { only, quick, json, build, timeline = false, help } = parse(command, args);
  if (help) return null;
  const names = only?.flatMap((list) => list.split(',')).map((name) => name.trim()) ?? null;
  const unknown = names?.filter((name) => !command.known.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw misused(command, `No ${command.item} is called ${unknown.map((name) => `"${name}"`).join(', ')}.`);
  }
  const file = json === undefined ? resolve(ROOT, command.json) : resolve(json);
  prepareFile(file);
  return {
    line: [command.name, ...(args.length > 0 ? ['--'] : []), ...args].join(' '),
    only: names,
    quick,
    json: file,
    timeline,
    build: build === undefined ? resolve(ROOT, 'dist') : resolve(build)
  };
}

/** Makes the folder of a file, and finds out whether the file can be written there. @throws Refusal where it cannot */
export function prepareFile(path: string): void {
  try {
    makeFolder(dirname(path));
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw new Refusal(`No figures can be written to ${path}: ${error instanceof Error ? error.message : error}`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Refusal(`No figures can be written to ${path}: it is a folder`);
  }
}

/** As `mkdir -p`; that of Node 20 never ends where the system denies that a parent is there, as below /proc. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

function parse(command: Command, args: readonly string[]) {
  const options = (command.takesBuild ? { ...FLAGS, ...BUILD } : FLAGS) as typeof FLAGS & typeof BUILD;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // Node's own words, which may have several lines.
    throw misused(command, error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error));
  }
}

const misused = (command: Command, what: string) => new Refusal(`${what}\n${usageOf(command)}`);
