import type { Option } from '../commander.ts';
import type { Command } from '../commands/command.ts';

/** What follows a flag: one of some words, a file, a folder, anything else, or nothing. */
export type Follows = readonly string[] | 'file' | 'folder' | 'value' | 'nothing';

interface FlagWords {
  readonly flag: string;
  readonly about: string;
  readonly follows: Follows;
}

/** A command as a shell completes it. */
export interface CommandWords {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly FlagWords[];
  /** What its operands are. */
  readonly operand: Follows;
}

export const SHELLS = ['bash', 'zsh', 'fish'];

/** Says of each command what a shell has to know, from the tables that its help is made of. */
export function describeCommands(commands: readonly Command[]): CommandWords[] {
  const help = { flag: '--help', about: 'Print this help.', follows: 'nothing' } as const;
  const all = commands.map((command) => ({
    name: command.name,
    about: shorten(command.about),
    flags: [...flagsOf(command).map(describeFlag), help],
    operand: operandOf(command)
  }));
  // `install` takes the flags of `run`, too: what both have is its own.
  const run = all.find(({ name }) => name === 'run')?.flags ?? [];
  const install = all.find(({ name }) => name === 'install')?.flags ?? [];
  install.push(...run.filter(({ flag }) => !install.some((own) => own.flag === flag)));
  const names = commands.map(({ name }) => name);
  return [...all, { name: 'help', about: 'Print the help of a command.', flags: [help], operand: names }];
}

/** A command with commands of its own takes what any of them does. */
function flagsOf({ flags, parts = [] }: Command): readonly Option[] {
  const all = new Map([...flags(), ...parts.flatMap((part) => part.flags())].map((flag) => [flag.long, flag]));
  return [...all.values()];
}

function describeFlag(option: Option): FlagWords {
  const { long, description, required, argChoices } = option;
  const [, value = ''] = /<(.*)>/.exec(option.flags) ?? [];
  return {
    flag: String(long),
    about: shorten(description),
    follows: required ? (argChoices ?? readValue(value)) : 'nothing'
  };
}

/** `<auto | manual>` are words, `<path>` is a file, and of anything else nothing is known. */
function readValue(value: string): Follows {
  const words = value.split(' | ');
  if (words.length > 1 && words.every((word) => /^[a-z][a-z-]+$/.test(word)) && !/\bpercent\b|\bpath\b/.test(value))
    return words;
  if (value === 'folder') return 'folder';
  return value === 'path' || value === 'file' ? 'file' : 'value';
}

function operandOf({ name, operands, parts }: Command): Follows {
  if (parts) return parts.map((part) => part.name);
  if (name === 'completion') return SHELLS;
  return operands.some((one) => /entry|file/.test(one)) ? 'file' : 'nothing';
}

function shorten(text: string): string {
  const [sentence = ''] = text.split(/(?<=[.;])\s/);
  return sentence.length > 78 ? `${sentence.slice(0, 75)}...` : sentence.replace(/[.;]$/, '');
}
