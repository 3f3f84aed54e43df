import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { findEntryFile } from '../releases/entry-file.ts';
import { type Launch, PLAIN } from './launch.ts';
import { readNodeCommand } from './node-command.ts';
import { behindShim, findCommand, nameCommand, readScripts } from './package.ts';
import { readLine } from './words.ts';

/** Scripts of package.json may call each other, and in a circle. */
const DEEPEST = 8;
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;
const SHELL = /^(?:ba|da|z)?sh$/;

/** What a program does with the words after it. */
type Read = (words: readonly string[], folder: string, depth: number) => Launch | null;

/** Programs that start another: what they are called, and how they are read. */
const PROGRAMS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['node', readNodeCommand],
  ['nodejs', readNodeCommand],
  ['tsx', (words) => compiled('--import=tsx', words[0] === 'watch' ? words.slice(1) : words)],
  ['ts-node', (words) => compiled('--require=ts-node/register', words)],
  ['nodemon', readNodeCommand],
  ['npm', readManager],
  ['pnpm', readManager],
  ['yarn', readManager],
  ['npx', readCommand],
  ['exec', readCommand],
  ['env', readCommand],
  ['cross-env', readCommand],
  ['dotenv', readDotenv],
  ['sh', readShell],
  ['bash', readShell],
  ['pm2', readManaged],
  ['pm2-runtime', readManaged]
]);

/** Whether something is a program that starts others, and not an app. */
export function startsOthers(name: string | null): boolean {
  return name !== null && PROGRAMS.has(name);
}

/** Finds the file that a command comes to run in Node, and with what; null where that cannot be told. */
export function readCommand(words: readonly string[], folder: string, depth = 0): Launch | null {
  const [program, ...rest] = words;
  if (program === undefined || depth > DEEPEST) return null;
  const [, name, value = ''] = ASSIGNMENT.exec(program) ?? [];
  if (name !== undefined) {
    const launch = readCommand(rest, folder, depth + 1);
    return launch && { ...launch, env: { [name]: value, ...launch.env } };
  }
  const read = PROGRAMS.get(nameCommand(realOf(program, folder)) ?? basename(program));
  if (read) return read(rest, folder, depth + 1);
  if (program.includes('/')) return readExecutable(program, rest, folder, depth + 1);
  const file = findCommand(program, folder);
  return file === null ? null : { ...PLAIN, file, args: rest };
}

/** A file that is executed as a program: a shell script, or what Node runs as it is. */
export function readExecutable(path: string, args: readonly string[], folder: string, depth = 0): Launch | null {
  const file = findEntryFile(resolve(folder, path));
  if (file === null) return null;
  const behind = behindShim(file);
  if (behind !== file) return readCommand([relative(folder, behind), ...args], folder, depth);
  const [interpreter, ...options] = readFirstLine(readFileSync(file, 'latin1'));
  if (interpreter === undefined) return { ...PLAIN, file: path, args };
  return readCommand([interpreter, ...options, path, ...args], folder, depth + 1);
}

/** The program that a first line with `#!` names, with its words. */
export function readFirstLine(text: string): string[] {
  const [, line = ''] = /^#!\s*(.*)/.exec(text) ?? [];
  const words = line.split(/\s+/).filter((word) => word !== '');
  const [program = ''] = words;
  return basename(program) === 'env' ? words.slice(words[1] === '-S' ? 2 : 1) : words;
}

function compiled(option: string, words: readonly string[]): Launch | null {
  const launch = readNodeCommand(words);
  return launch && { ...launch, nodeOptions: [...new Set([option, ...launch.nodeOptions])] };
}

/** A script of package.json, or a program, by `npm start`, `npm run NAME`, `npm exec NAME`, `yarn NAME`. */
function readManager(words: readonly string[], folder: string, depth: number): Launch | null {
  const [asked = '', ...rest] = words;
  if (asked === 'exec') return readCommand(rest[0] === '--' ? rest.slice(1) : rest, folder, depth);
  const [name = '', ...args] = asked === 'run' ? rest : words;
  const scripts = readScripts(folder);
  const { words: found, first } = readLine(scripts[name] ?? '');
  const launch = found && readCommand(found, folder, depth);
  if (!launch) return null;
  const before = scripts[`pre${name}`] === undefined ? first : [`npm run pre${name}`, ...first];
  // What was typed after the script may be for handover; what the script says is for the app.
  const typed = args[0] === '--' ? args.slice(1) : args;
  const own = launch.args.length === 0 || launch.args[0] === '--' ? launch.args : ['--', ...launch.args];
  const all = args[0] === '--' ? [...(own.length === 0 ? ['--'] : own), ...typed] : [...typed, ...own];
  return { ...launch, args: all, first: [...before, ...launch.first] };
}

/** `dotenv -e FILE -- node server.js` */
function readDotenv(words: readonly string[], folder: string, depth: number): Launch | null {
  const [option, file = '.env'] = words;
  const rest = option === '-e' || option === '-f' ? words.slice(2) : words;
  const launch = readCommand(rest[0] === '--' || rest[0] === 'run' ? rest.slice(1) : rest, folder, depth);
  return launch && { ...launch, envFile: rest === words ? '.env' : file };
}

/** The file of a process manager: handover takes its place. */
function readManaged(words: readonly string[]): Launch | null {
  const [file = '', ...args] = words[0] === 'start' ? words.slice(1) : words;
  return /\.[cm]?js$/.test(file) && !/\.config\./.test(file) ? { ...PLAIN, file, args } : null;
}

/** A shell script as far as it sets variables and then runs one program. */
function readShell(words: readonly string[], folder: string, depth: number): Launch | null {
  const [path = '', ...args] = words;
  const file = findEntryFile(resolve(folder, path));
  if (file === null || path.startsWith('-')) return null;
  const env: Record<string, string> = {};
  let found: Launch | null = null;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const text = line.trim();
    if (/^(?:#|set |$)/.test(text) || /^cd "\$\(dirname /.test(text)) continue;
    const { words: all } = readLine(text.replace(/^export\s+/, ''));
    if (!all) return null; // only a shell can tell
    const [, name, value = ''] = all.length === 1 ? (ASSIGNMENT.exec(all[0] ?? '') ?? []) : [];
    if (name !== undefined) env[name] = value;
    else
      found =
        readCommand(
          all.flatMap((word) => (word === '$@' ? args : [word])),
          folder,
          depth
        ) ?? found;
  }
  if (!found) return null;
  const inFolder = [found.file, join(relative(folder, dirname(file)), found.file)];
  const there = inFolder.find((one) => findEntryFile(resolve(folder, one)) !== null);
  return there === undefined ? null : { ...found, file: there, env: { ...env, ...found.env } };
}

function realOf(program: string, folder: string): string {
  return program.includes('/') ? (findEntryFile(resolve(folder, program)) ?? program) : program;
}

/** Whether a program is a shell. */
export function isShell(program: string): boolean {
  return SHELL.test(basename(program));
}
