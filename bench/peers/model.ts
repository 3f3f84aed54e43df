import type { Sandbox } from './sandbox.ts';

/** One way to deploy a Node service on one machine. Each is a file in `systems/`, with its whole configuration. */
export interface System {
  /** For `--only`. */
  readonly id: string;
  readonly name: string;
  /** What a reader must know to judge it fairly. */
  readonly note: string;
  /** What a rollback is here. */
  readonly rollbackNote: string;
  /** Of the process that is killed in the last test, and what the system promises for it. */
  readonly deathNote: string;
  /** The file with its configuration, as `import.meta.url` says it. */
  readonly file: string;
  /** The id of a system that differs from this one in its deploys only: where that is measured, figures of the rest are shared. */
  readonly steadyAs?: string;
  /** The Node it needs, where that is another than the one that runs the comparison. */
  readonly node?: string;
  /** Its version by name, where it has one. */
  version?(): Record<string, string>;
  /** What it lacks on this machine, or null. */
  missing(): Missing | null;
  /** Resolves when it answers on `sandbox.port`. */
  start(sandbox: Sandbox): Promise<Running>;
}

export interface Missing {
  readonly why: string;
  readonly install: string;
}

/** A system that runs in its sandbox. */
export interface Running {
  /** Deploys what `sandbox.version` says by now. Resolves when the system calls it done. */
  deploy(): Promise<void>;
  /** Back to the version before; where it is left out, that is one more deploy. */
  rollback?(): Promise<void>;
  /** Processes it consists of that the sandbox did not start. */
  daemons?(): readonly number[];
  /** The process whose death is tried: the one that owns the port. */
  owner(): number;
  /** Runs the start command again, as an init system does after a death. @throws Error when nothing answers then */
  startAgain(): Promise<void>;
}

/** The note of a row whose app does more than the documentation asks. */
export const CAREFUL_APP =
  'Tuned in the app: it does not close idle connections at the signal, but says `Connection: close` on one more answer of each. Requests pipelined behind that are lost.';
