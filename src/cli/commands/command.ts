import type { Option } from 'commander';
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
}

/** One command: describes itself, prints once, returns. Exit codes are not its business. */
export interface Command {
  readonly name: string;
  /** Its arguments, as the help shows them. */
  readonly operands: readonly string[];
  readonly about: string;
  /** What the help says at its end. */
  readonly details?: string;
  readonly flags: () => readonly Option[];
  readonly run: (given: Given, io: Io, told: Told) => Promise<void>;
}

/** What a command finds out about how its failure is to be told. */
export interface Told {
  form: FailureForm;
}
