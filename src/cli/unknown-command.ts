import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HandoverError } from '../errors.ts';
import { findNearestName } from '../options/nearest-name.ts';
import { findCommand } from '../options/other-words.ts';
import { COMMAND_NAMES } from './commands/all.ts';
import type { Command } from './commands/command.ts';

export function unknownCommand(given: string): HandoverError {
  const names = COMMAND_NAMES;
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
  return near === undefined ? 'no command has a name like it' : `the nearest name is "${near}"`;
}

export function missingCommand(): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Nothing to do',
    why: 'no command was given',
    fix: `The commands are: ${COMMAND_NAMES.join(', ')}; see \`handover --help\``
  });
}

export function missingPart({ name, parts = [] }: Command, given: string | undefined): HandoverError {
  const names = parts.map((part) => part.name);
  const near = given === undefined ? undefined : findNearestName(given, names, () => 2);
  const why = near === undefined ? 'it has no command like it' : `the nearest name is "${near}"`;
  return new HandoverError('HANDOVER_ERR_OPTION_UNKNOWN', {
    what: given === undefined ? `Nothing to do with \`handover ${name}\`` : `Command "${name} ${given}" is not known`,
    why: given === undefined ? 'none of its commands was given' : why,
    fix: `Its commands are: ${names.join(', ')}; see \`handover ${name} --help\``
  });
}
