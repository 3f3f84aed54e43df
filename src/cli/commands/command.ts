import type { Option } from '../commander.ts';
import type { Io } from '../io.ts';
import type { FailureForm } from '../print.ts';

/** The arguments of a command, read. */
export interface Given {
  /** Values by the names of the options (`readyTimeout`), flags without a value as true. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The one operand: an entry, or what the command says it takes. */
  readonly entry: string | null;
  /** Arguments for the app; null where none were given. */
  readonly app: readonly string[] | null;
  /** Of `install`: the arguments of the `run` that it is about. */
  readonly run?: Given;
  /** Of `completion`: all commands that there are. */
  readonly commands?: readonly Command[];
}

/** One command: describes itself, prints once, returns. */
export interface Command {
  readonly name: string;
  /** Its arguments, as the help shows them. */
  readonly operands: readonly string[];
  readonly about: string;
  /** What the help says at its end. */
  readonly details?: string;
  readonly flags: () => readonly Option[];
  /** The flags that `--help` explains, of more than a screen has room for; without it all. */
  readonly common?: readonly string[];
  /** Commands of its own, one of which has to be named: then it does nothing itself. */
  readonly parts?: readonly Command[];
  /** @returns an exit code, where done is not the same as well */
  readonly run: (given: Given, io: Io, told: Told) => Promise<void> | Promise<number>;
}

/** What a command finds out about how its failure is to be told. */
export interface Told {
  form: FailureForm;
}
