import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError, Command as Parser } from 'commander';
import { HandoverError } from '../errors.ts';
import { findNearestName } from '../options/nearest-name.ts';
import { findCommand } from '../options/other-words.ts';
import { unknownOption } from '../options/read-options.ts';
import { version } from '../version.ts';
import { abort } from './commands/abort.ts';
import type { Command, Given } from './commands/command.ts';
import { history } from './commands/history.ts';
import { list } from './commands/list.ts';
import { promote } from './commands/promote.ts';
import { reload } from './commands/reload.ts';
import { retire } from './commands/retire.ts';
import { rollback } from './commands/rollback.ts';
import { run } from './commands/run.ts';
import { scale } from './commands/scale.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { type RunArguments, splitRun } from './split.ts';

export const COMMANDS: readonly Command[] = [
  run,
  reload,
  rollback,
  promote,
  abort,
  retire,
  scale,
  status,
  history,
  list,
  stop
];

/** Longer lines are hard to read, however wide the terminal. */
const WIDEST = 110;

const EXAMPLES = `
Examples:
  handover run server.js --listen 80 --workers 2    any existing app, unchanged
  handover reload                                   the new version on disk takes over
  handover reload ./releases/43/server.js           or: another entry from now on
  handover reload --wait                            and wait whether it is kept
  handover rollback                                 the version before, at once

Exit codes: 0 done; 1 the deploy failed and the old version is active; 2 wrong usage;
3 refused (another handover in progress, no standby); 4 no supervisor reachable; 70 a bug of handover.`;

/** Where help is printed. */
export interface Page {
  readonly out: (text: string) => void;
  readonly columns: () => number;
}

/** A command that was asked for, with its arguments read. */
export interface Call {
  readonly command: Command;
  readonly given: Given;
}

/**
 * Reads a command line.
 *
 * @param page takes what `--help` and `--version` say
 * @returns null when the command line asked for help or the version, which is printed then
 * @throws HANDOVER_ERR_OPTION_UNKNOWN, HANDOVER_ERR_OPTION_INVALID
 */
export function readCommandLine(args: readonly string[], page: Page): Call | null {
  if (args.length === 0) throw missingCommand();
  const { own, app, entry } = splitArguments(args);
  let call: Call | null = null;
  const program = createProgram(page, (command, flags, [operand = null]) => {
    call = { command, given: { flags, entry: entry ?? operand, app } };
  });
  try {
    program.parse(own, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return call;
}

/** What is ours and what is the app's: `run` and `reload` take arguments for it. */
function splitArguments(args: readonly string[]): RunArguments {
  if (args[0] === 'run') {
    const known = run.flags().map(({ long }) => String(long));
    const split = splitRun(args.slice(1), known);
    return { ...split, own: ['run', ...split.own] };
  }
  const at = args[0] === 'reload' ? args.indexOf('--') : -1;
  return at < 0
    ? { own: args, entry: null, app: null }
    : { own: args.slice(0, at), entry: null, app: args.slice(at + 1) };
}

type OnCall = (command: Command, flags: Given['flags'], operands: readonly string[]) => void;

function createProgram(page: Page, onCall: OnCall): Parser {
  const program = new Parser('handover')
    .description('Moves a live Node service to its next version without one failed request.')
    .addHelpText('after', EXAMPLES);
  prepare(program, page);
  program.helpCommand('help [command]', 'Print the help of a command.');
  for (const command of COMMANDS) {
    const parser = program.command([command.name, ...command.operands].join(' ')).description(command.about);
    prepare(parser, page);
    for (const flag of command.flags()) parser.addOption(flag);
    if (command.details) parser.addHelpText('after', `\n${command.details}`);
    parser.action(() => onCall(command, parser.opts(), parser.args));
  }
  return program;
}

/** What is the same for the program and each of its commands: help, version, and failures of ours instead of theirs. */
function prepare(parser: Parser, page: Page): void {
  parser
    .version(version, '-v, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .configureHelp({ minWidthToWrap: 30 })
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => page.out(text.trimEnd()),
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(page.columns(), WIDEST)
    })
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : translate(error, parser);
    });
}

/** A failure of the parser in our words. Its messages quote what they are about. */
function translate(error: CommanderError, parser: Parser): HandoverError {
  const [, subject = ''] = /'(.*)'/s.exec(error.message) ?? [];
  if (error.code === 'commander.unknownOption') {
    const [flag = '', value] = subject.split('=', 2);
    if (value !== undefined && parser.options.some(({ long }) => long === flag)) return takesNoValue(flag, value);
    return unknownOption(flag, [...parser.options.map(({ long }) => String(long)), '--help']);
  }
  if (error.code === 'commander.excessArguments' && parser.name() === 'rollback') return rollbackTo(parser.args);
  if (error.code === 'commander.excessArguments' && parser.registeredArguments.length === 0) return takesNone(parser);
  if (error.code === 'commander.unknownCommand') return unknownCommand(subject);
  const name = parser.name() === 'handover' ? 'handover' : `handover ${parser.name()}`;
  return new HandoverError(
    'HANDOVER_ERR_OPTION_INVALID',
    {
      what: `Cannot read the arguments of \`${name}\``,
      why: error.message.replace(/^error: /, '').replace(/\.$/, ''),
      fix: `See \`${name} --help\``
    },
    { cause: error }
  );
}

function takesNoValue(flag: string, value: string): HandoverError {
  const why = `it takes no value, and it was given "${value}"`;
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `"${flag}" is not usable`,
    why,
    fix: `Write \`${flag}\` alone`
  });
}

function takesNone(parser: Parser): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `Cannot read the arguments of \`handover ${parser.name()}\``,
    why: `it takes none, and it was given "${parser.args.join(' ')}"`,
    fix: `Another supervisor is named with --name; see \`handover ${parser.name()} --help\``
  });
}

/** A rollback goes to the standby; another generation is asked for by name. */
function rollbackTo([given = '']: readonly string[]): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Cannot read the arguments of `handover rollback`',
    why: `it takes none, and it was given "${given}"`,
    fix: `For one generation of the history: \`handover rollback --to ${given}\``
  });
}

function unknownCommand(given: string): HandoverError {
  const names = COMMANDS.map(({ name }) => name);
  const near = findNearestName(given, names, () => 2);
  return new HandoverError('HANDOVER_ERR_OPTION_UNKNOWN', {
    what: `Command "${given}" is not known`,
    why: explainCommand(given, near),
    fix:
      near === undefined && isAnApp(given)
        ? `To run an app: \`handover run ${given}\``
        : `The commands are: ${names.join(', ')}`
  });
}

/** Whether a word in the place of a command is the file of an app, or a program that starts one. */
function isAnApp(given: string): boolean {
  return /[./]/.test(given) || existsSync(join('node_modules/.bin', given));
}

function explainCommand(given: string, near: string | undefined): string {
  const ours = findCommand(given);
  if (ours !== undefined) return `what it does elsewhere, "${ours}" does here`;
  if (given === 'logs' || given === 'log')
    return "the app's own output goes to that of `handover run`: see journalctl, or docker logs";
  return near === undefined ? 'no command has a name like it' : `the nearest name is "${near}"`;
}

function missingCommand(): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Nothing to do',
    why: 'no command was given',
    fix: `The commands are: ${COMMANDS.map(({ name }) => name).join(', ')}; see \`handover --help\``
  });
}
