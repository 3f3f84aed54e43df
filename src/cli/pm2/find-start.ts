import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, isAbsolute, join } from 'node:path';
import { isObject } from '../../options/fields.ts';
import { takesNext } from '../../options/node-options.ts';
import { needsShell, splitWords } from './split-words.ts';

/** How an app is started: a file that Node runs, or any program. */
export type Start =
  | {
      readonly kind: 'node';
      readonly entry: string;
      readonly args: readonly string[];
      readonly node: string | null;
      readonly nodeOptions: readonly string[];
      readonly envFile: string | null;
      readonly env: Readonly<Record<string, string>>;
      /** What is to be known of it, by the PM2 option that it is about. */
      readonly notes: readonly (readonly [option: string, note: string])[];
    }
  | { readonly kind: 'program'; readonly words: readonly string[]; readonly why: string };

interface Asked {
  readonly script: string;
  readonly args: readonly string[];
  readonly interpreter: string | null;
  readonly nodeArgs: readonly string[];
  readonly cwd: string;
}

type NodeStart = Extract<Start, { kind: 'node' }>;

const OTHER_LANGUAGES: Readonly<Record<string, string>> = {
  '.sh': 'bash',
  '.py': 'python3',
  '.rb': 'ruby',
  '.php': 'php',
  '.pl': 'perl'
};

/** What runs TypeScript in the place of Node, and the option of Node that does. */
const LOADERS: Readonly<Record<string, string>> = {
  tsx: '--import=tsx',
  'ts-node': '--require=ts-node/register',
  'ts-node-esm': '--loader=ts-node/esm',
  'babel-node': '--require=@babel/register'
};

const RUNNERS = ['npm', 'yarn', 'pnpm'];

/** Finds out how an app of PM2 is started. */
export function findStart(asked: Asked): Start {
  const { script, args, interpreter, nodeArgs, cwd } = asked;
  const runner = basename(interpreter ?? '').replace(/\.exe$/, '');
  const language = interpreter === null ? OTHER_LANGUAGES[extname(script)] : undefined;
  if (language !== undefined) return toProgram([language, script, ...args], `${language} is not Node`);
  if (interpreter === null || runner === 'none') {
    const command = isFileOf(cwd, script) ? null : basename(script);
    if (command !== null) return findCommand(command, asked);
    const runs = runner !== 'none' || /\.[cm]?[jt]sx?$|node_modules[\\/]\.bin[\\/]/.test(script);
    return runs ? toNode(script, args, nodeArgs, cwd) : toProgram([script, ...args], 'it is a program of its own');
  }
  if (Object.hasOwn(LOADERS, runner)) {
    const start = toNode(script, args, [String(LOADERS[runner]), ...nodeArgs], cwd);
    return withNote(start, 'interpreter', `${runner} is an option of Node here: ${LOADERS[runner]}`);
  }
  if (/^node(js)?$/.test(runner)) {
    const start = toNode(script, args, nodeArgs, cwd);
    return isAbsolute(interpreter) ? { ...start, node: interpreter } : start;
  }
  const [, version] = /^node@(.+)$/.exec(runner) ?? [];
  if (version !== undefined)
    return withNote(
      toNode(script, args, nodeArgs, cwd),
      'interpreter',
      `Node ${version} is not looked for: name its binary with "node" in the config, such as "/opt/node-${version}/bin/node"`
    );
  return toProgram([interpreter, ...nodeArgs, script, ...args], `${runner} is not Node`);
}

/** A script that is the name of a program: npm and what it stands for, node, or something else. */
function findCommand(command: string, { script, args, nodeArgs, cwd }: Asked): Start {
  const [first = '', ...rest] = args;
  if (command === 'node') return readNode(args, cwd) ?? toProgram([script, ...args], 'no file is named for Node');
  if (command === 'npx' && first !== '' && !first.startsWith('-')) {
    const start = findCommand(first, { script: first, args: rest, interpreter: null, nodeArgs, cwd });
    if (start.kind === 'node') return start;
    const note = `\`npx ${first}\` is node_modules/.bin/${first}: install that package in the folder`;
    return withNote(toNode(`node_modules/.bin/${first}`, rest, nodeArgs, cwd), 'script', note);
  }
  if (RUNNERS.includes(command)) return readPackageScript(command, args, cwd);
  if (Object.hasOwn(LOADERS, command) && first !== '') {
    const start = toNode(first, rest, [String(LOADERS[command]), ...nodeArgs], cwd);
    return withNote(start, 'script', `${command} is an option of Node here: ${LOADERS[command]}`);
  }
  if (existsSync(join(cwd, 'node_modules/.bin', command)))
    return toNode(`node_modules/.bin/${command}`, args, nodeArgs, cwd);
  if (/\.[cm]?[jt]sx?$/.test(command) || script.includes('/')) return toNode(script, args, nodeArgs, cwd);
  return toProgram([script, ...args], `${command} is not Node`);
}

/** `npm start` is a line for a shell in package.json: where it starts one file, that is the entry. */
function readPackageScript(runner: string, args: readonly string[], cwd: string): Start {
  const [first = 'start', ...others] = args[0] === 'run' || args[0] === 'run-script' ? args.slice(1) : args;
  const extra = others[0] === '--' ? others.slice(1) : others;
  const line = readScripts(cwd)[first];
  const program = (why: string) => toProgram([runner, ...args], why);
  const said = `\`${runner} ${args.join(' ')}\``;
  if (line === undefined) return program(`${said} is not to be found: there is no script "${first}" in package.json`);
  if (needsShell(line)) return program(`${said} is a line for a shell: ${line}`);
  const words = splitWords(line);
  const at = words.findIndex((word) => !/^\w+=/.test(word) && word !== 'cross-env');
  const env = Object.fromEntries(words.slice(0, Math.max(at, 0)).flatMap(toVariable));
  const [name = '', ...rest] = at < 0 ? [] : words.slice(at);
  const start =
    name === 'node'
      ? readNode([...rest, ...extra], cwd)
      : RUNNERS.includes(name)
        ? null
        : findCommand(name, { script: name, args: [...rest, ...extra], interpreter: null, nodeArgs: [], cwd });
  if (start === null || start.kind !== 'node') return program(`${said} runs something else than Node: ${line}`);
  return withNote({ ...start, env }, 'script', `${said} is: ${line}`);
}

function toVariable(word: string): [string, string][] {
  const [, name, value = ''] = /^(\w+)=(.*)$/s.exec(word) ?? [];
  return name === undefined ? [] : [[name, value]];
}

function readScripts(cwd: string): Readonly<Record<string, string>> {
  try {
    const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as { scripts?: unknown };
    const texts = isObject(scripts) ? Object.entries(scripts).filter(([, line]) => typeof line === 'string') : [];
    return Object.fromEntries(texts) as Record<string, string>;
  } catch {
    return {}; // no package.json there, or none that can be read: no script is known
  }
}

/** What follows `node`: its options, the file, and the arguments of that. */
function readNode(words: readonly string[], cwd: string): NodeStart | null {
  let at = 0;
  while (words[at]?.startsWith('-')) at += takesNext(String(words[at])) ? 2 : 1;
  const entry = words[at];
  return entry === undefined ? null : toNode(entry, words.slice(at + 1), words.slice(0, at), cwd);
}

function toNode(entry: string, args: readonly string[], nodeArgs: readonly string[], cwd: string): NodeStart {
  const { nodeOptions, envFile } = takeEnvFile(joinOptions(nodeArgs));
  const isTyped = /\.[cm]?tsx?$/.test(entry) && !nodeOptions.some((one) => /tsx|ts-node|swc|--loader/.test(one));
  const hasTsx = existsSync(join(cwd, 'node_modules/tsx'));
  const start: NodeStart = {
    kind: 'node',
    entry: entry.replace(/^\.\//, ''),
    args,
    node: null,
    nodeOptions: isTyped && hasTsx ? ['--import=tsx', ...nodeOptions] : nodeOptions,
    envFile,
    env: {},
    notes: []
  };
  if (!isTyped) return start;
  const how = hasTsx
    ? 'tsx is an option of Node here: --import=tsx'
    : 'Node runs it by itself from 22.18 on; before, install tsx and set nodeOptions: "--import=tsx"';
  return withNote(start, 'script', `TypeScript: ${how}`);
}

/** Options with their values in one word each: `-r dotenv/config` is `--require=dotenv/config`. */
function joinOptions(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = String(words[at]);
    const name = word === '-r' ? '--require' : word === '-C' ? '--conditions' : word;
    const value = words[at + 1];
    if (!takesNext(word) || value === undefined) joined.push(word);
    else {
      joined.push(`${name}=${value}`);
      at += 1;
    }
  }
  return joined;
}

function takeEnvFile(options: readonly string[]): { nodeOptions: string[]; envFile: string | null } {
  const found = options.flatMap((one) => /^--env-file(?:-if-exists)?=(.+)$/.exec(one)?.[1] ?? []);
  return { nodeOptions: options.filter((one) => !/^--env-file/.test(one)), envFile: found.at(-1) ?? null };
}

function toProgram(words: readonly string[], why: string): Start {
  return { kind: 'program', words, why };
}

function withNote(start: NodeStart, option: string, note: string): NodeStart {
  return { ...start, notes: [...start.notes, [option, note]] };
}

/** Whether a script is a file, and no name of a program. */
function isFileOf(cwd: string, script: string): boolean {
  return (
    existsSync(isAbsolute(script) ? script : join(cwd, script)) &&
    !/^(npm|npx|yarn|pnpm|node|bun)$/.test(basename(script))
  );
}
