import { createRequire } from 'node:module';
import type * as commander from 'commander';

/** As the CommonJS that it is: what Node loads to `import` such a module takes 5 MB, in each supervisor for as long as it runs. */
const loaded = createRequire(import.meta.url)('commander') as typeof commander;

export const { Command, CommanderError, Option } = loaded;
export type Command = commander.Command;
export type CommanderError = commander.CommanderError;
export type Help = commander.Help;
export type Option = commander.Option;
