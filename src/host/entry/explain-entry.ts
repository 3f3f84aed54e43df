import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { readEcosystem } from './ecosystem.ts';
import { type Launch, PLAIN, showLaunch } from './launch.ts';
import { findCommand, isInstalled, nameCommand } from './package.ts';
import { isShell, readCommand, readExecutable, readFirstLine, startsOthers } from './read-command.ts';

/** An order to start something, as it was given. */
export interface Asked {
  readonly entry: string;
  /** The words after the entry. */
  readonly args: readonly string[];
  readonly folder: string;
  /** All that a worker is started with: those of NODE_OPTIONS, and what it inherits. */
  readonly nodeOptions: readonly string[];
  /** Whether another Node than this one is to run it. */
  readonly otherNode: boolean;
  readonly command: string;
}

export interface Answer {
  readonly why: string;
  readonly fix: string;
}

const LOADER = /^(?:-r|--require|--import|--loader|--experimental-loader|--experimental-.*-types)\b/;

/** What a first line may give JavaScript to. */
const RUNTIME = /^(?:node|nodejs|bun|deno)$/;

/** Why a file cannot be run in Node as it is, and the command that runs what it stands for; null where it can. */
export function explainFile(file: string, asked: Asked): Answer | null {
  const { entry, args, folder } = asked;
  const name = nameCommand(file);
  if (startsOthers(name)) return answer(`it is the command ${name}, which starts another file`, asked, [name, args]);
  const text = readFileSync(file, 'latin1');
  if (text.startsWith('\x7fELF')) return answer('it is a binary program', asked, [basename(file), args]);
  const [program, ...options] = readFirstLine(text);
  if (program !== undefined && isShell(program) && !isJavaScriptToo(text))
    return show('it is a shell script', asked, readExecutable(entry, args, folder));
  if (program !== undefined && !RUNTIME.test(basename(program)) && !isShell(program) && !hasLoader(asked.nodeOptions))
    return answer(`its first line gives it to ${[program, ...options].join(' ')}`, asked, [
      program,
      [...options, entry, ...args]
    ]);
  const managed = readEcosystem(file);
  if (managed !== undefined) return show('it is a configuration of PM2, and no app', asked, managed);
  return needsCompiler(file, asked)
    ? show('it is TypeScript, which this Node does not run by itself', asked, { ...PLAIN, file: entry, args })
    : null;
}

/** What was probably meant by an entry that is not there: the words of a command. */
export function explainWords({ entry, args, folder, ...asked }: Asked): Answer | null {
  const words = [...entry.trim().split(/\s+/), ...args];
  const [program = ''] = words;
  const isProgram = startsOthers(program) || findCommand(program, folder) !== null || words.length > args.length + 1;
  if (!isProgram) return null;
  return answer(`${program} is a command and no file`, { entry, args, folder, ...asked }, [program, words.slice(1)]);
}

function answer(why: string, asked: Asked, [program, words]: readonly [string | null, readonly string[]]): Answer {
  return show(why, asked, readCommand([program ?? '', ...words], asked.folder));
}

function show(why: string, asked: Asked, launch: Launch | null): Answer {
  const fix =
    'Give the JavaScript file that it starts, and options of Node with --node-option, as in `handover run --node-option=--import=tsx server.ts`';
  const whole = `${why}; handover starts the app's own file in Node`;
  if (!launch) return { why: whole, fix };
  const { folder, nodeOptions } = asked;
  const compiler = needsCompiler(launch.file, { ...asked, nodeOptions: [...nodeOptions, ...launch.nodeOptions] });
  const { option, install } = findCompiler(folder);
  const all = compiler ? { ...launch, nodeOptions: [option, ...launch.nodeOptions] } : launch;
  const first = [...(compiler && install ? [install] : []), ...launch.first].map((line) => `\`${line}\``);
  const after = first.length === 0 ? '' : `, after ${first.join(' and ')}`;
  return { why: whole, fix: `Give \`${showLaunch(all, asked.command)}\`${after}` };
}

/** With a loader, Node may run more than JavaScript. */
function hasLoader(nodeOptions: readonly string[]): boolean {
  return nodeOptions.some((option) => LOADER.test(option));
}

function needsCompiler(file: string, { nodeOptions, otherNode }: Asked): boolean {
  if (otherNode || hasLoader(nodeOptions)) return false;
  if (/^\.[jt]sx$/.test(extname(file))) return true;
  return /^\.[cm]?ts$/.test(extname(file)) && !(process.features as { typescript?: unknown }).typescript;
}

/** What has to be given to Node so that it runs TypeScript of this folder, and what has to be installed for it. */
function findCompiler(folder: string): { readonly option: string; readonly install: string | null } {
  if (isInstalled('tsx', folder)) return { option: '--import=tsx', install: null };
  if (isInstalled('ts-node/register', folder)) return { option: '--require=ts-node/register', install: null };
  return { option: '--import=tsx', install: 'npm install tsx' };
}

/** Whether a file that a shell starts is JavaScript: its second line hands it to Node, and is nothing to JavaScript. */
function isJavaScriptToo(text: string): boolean {
  return /^#!.*\n\s*(['"]):\1\s*\/\//.test(text);
}
