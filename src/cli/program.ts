import { HandoverError } from '../errors.ts';
import { unknownOption } from '../options/read-options.ts';
import { version } from '../version.ts';
import { CommanderError, Command as Parser } from './commander.ts';
import { COMMAND_NAMES, loadCommands } from './commands/all.ts';
import type { Command, Given } from './commands/command.ts';
import { formatItem, listRare, padWidth, shortenAbout, shortenCommand } from './help.ts';
import { type RunArguments, splitRun } from './split.ts';
import { splitInstall } from './split-install.ts';
import { missingCommand, missingPart, unknownCommand } from './unknown-command.ts';

const WIDEST = 110;

const EXAMPLES = `
Examples:
  handover run server.js --listen 80 --workers 2    any existing app, unchanged
  handover reload                                   the new version on disk takes over
  handover reload ./releases/43/server.js           or: another entry from now on
  handover reload --wait                            and wait whether it is kept
  handover reload --canary 5%                       the new version answers 5 % first: then canary, promote, abort
  handover rollback                                 the version before, at once

Exit codes: 0 done; 1 the deploy failed and the old version is active; 2 wrong usage;
3 refused (another handover in progress, no standby); 4 no supervisor reachable; 5 etcd not reachable;
70 a bug of handover.`;

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
export async function readCommandLine(args: readonly string[], page: Page): Promise<Call | null> {
  if (args.length === 0) throw missingCommand();
  if (args[0] === 'install') return readInstall(args.slice(1), page);
  const call = await read(args, page);
  if (call?.command.name !== 'completion') return call;
  return { ...call, given: { ...call.given, commands: await loadCommands('') } };
}

/** `install` has arguments of its own, and those of the `run` that it is about. */
async function readInstall(args: readonly string[], page: Page): Promise<Call | null> {
  const [[install], [run]] = await Promise.all([loadCommands('install'), loadCommands('run')]);
  const flags = new Map([
    ...(install?.flags() ?? []).map((flag): [string, boolean] => [String(flag.long), flag.required]),
    ...['--help', '-h', '--version', '-v'].map((flag): [string, boolean] => [flag, false])
  ]);
  const split = splitInstall(args, flags, run?.flags().map(({ long }) => String(long)) ?? []);
  const call = await read(['install', ...split.own], page);
  const about = call && (await read(['run', ...split.run], page));
  return call && about && { command: call.command, given: { ...call.given, run: about.given } };
}

async function read(args: readonly string[], page: Page): Promise<Call | null> {
  const commands = await loadCommands(args[0] ?? '');
  const { own, app, entry } = splitArguments(args, commands);
  let call: Call | null = null;
  const isWhole = own[0] === 'help' || own.includes('--all');
  const program = createProgram(commands, page, isWhole, (command, flags, [operand = null]) => {
    call = { command, given: { flags, entry: entry ?? operand, app } };
  });
  const [first, about] = own;
  if (
    first === 'help' &&
    about !== undefined &&
    about !== 'help' &&
    !about.startsWith('-') &&
    !COMMAND_NAMES.includes(about)
  )
    throw unknownCommand(about);
  try {
    // Only beside --help does it say something: of `run` it might be the app's.
    const asksAll = own.some((one) => one === '--help' || one === '-h' || one === 'help');
    program.parse(asksAll ? own.filter((one) => one !== '--all') : own, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return call;
}

/** What is ours and what is the app's: `run` and `reload` take arguments for it, `upgrade` those of `run`. */
function splitArguments(args: readonly string[], [command]: readonly Command[]): RunArguments {
  if (args[0] === 'run' && command) {
    const known = command.flags().map(({ long }) => String(long));
    const split = splitRun(args.slice(1), known);
    return { ...split, own: ['run', ...split.own] };
  }
  const takes = args[0] === 'reload' || args[0] === 'upgrade';
  const at = takes ? args.indexOf('--') : -1;
  return at < 0
    ? { own: args, entry: null, app: null }
    : { own: args.slice(0, at), entry: null, app: args.slice(at + 1) };
}

type OnCall = (command: Command, flags: Given['flags'], operands: readonly string[]) => void;

function createProgram(commands: readonly Command[], page: Page, isWhole: boolean, onCall: OnCall): Parser {
  const program = new Parser('handover')
    .description('Moves a live Node service to its next version without one failed request.')
    .addHelpText('after', EXAMPLES);
  prepare(program, page);
  program.helpCommand('help [command]', 'Print the help of a command.');
  for (const command of commands) addCommand(program, command, page, isWhole, onCall);
  return program;
}

function addCommand(above: Parser, command: Command, page: Page, isWhole: boolean, onCall: OnCall): void {
  const { common, parts } = command;
  const parser = above
    .command([command.name, ...command.operands].join(' '))
    .description(command.about)
    .summary(shortenCommand(command.about));
  prepare(parser, page);
  const flags = command.flags();
  const rare = isWhole || !common ? [] : flags.filter(({ long }) => !common.includes(String(long)));
  for (const flag of flags) {
    if (rare.length > 0) flag.description = shortenAbout(flag.description);
    parser.addOption(rare.includes(flag) ? flag.hideHelp() : flag);
  }
  if (rare.length > 0) parser.addHelpText('after', () => listRare(command.name, rare, helpWidth(page)));
  if (command.details) parser.addHelpText('after', `\n${command.details}`);
  if (!parts) return void parser.action(() => onCall(command, parser.opts(), parser.args));
  parser.helpCommand('help [command]', 'Print the help of one of them.');
  for (const part of parts) addCommand(parser, part, page, isWhole, onCall);
  parser.allowExcessArguments().action(() => {
    throw missingPart(command, parser.args[0]);
  });
}

/** Longer lines are hard to read, however wide the terminal. */
function helpWidth(page: Page): number {
  return Math.min(page.columns(), WIDEST);
}

/** What is the same for the program and each of its commands: help, version, and failures of ours instead of theirs. */
function prepare(parser: Parser, page: Page): void {
  parser
    .version(version, '-v, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .configureHelp({ minWidthToWrap: 30, padWidth, formatItem, subcommandTerm: (command) => command.name() })
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => page.out(text.trimEnd()),
      writeErr: () => {},
      getOutHelpWidth: () => helpWidth(page)
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
  const name = nameOf(parser);
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

/** As it is written: `handover fleet deploy`. */
function nameOf(parser: Parser): string {
  return parser.parent ? `${nameOf(parser.parent)} ${parser.name()}` : parser.name();
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
    what: `Cannot read the arguments of \`${nameOf(parser)}\``,
    why: `it takes none, and it was given "${parser.args.join(' ')}"`,
    fix: `Another supervisor is named with --name; see \`${nameOf(parser)} --help\``
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
