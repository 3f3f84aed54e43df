import { closeSync, writeSync } from 'node:fs';

/**
 * In the environment of a supervisor that another one has started to take its place: the pid of that one, or `trial` where it is
 * only to be seen whether it could start; and the descriptor on which it says how far it is.
 */
const VARIABLE = 'HANDOVER_SUCCEEDS';
const TRIAL = 'trial';
/** What systemd has said to one process only, which the successor stands for from now on. */
const PID_VARIABLES = ['LISTEN_PID', 'WATCHDOG_PID'];

/** The environment of a successor. @param fd the descriptor on which it says how far it is */
export function environmentOfSuccessor(fd: number, isTrial: boolean): NodeJS.ProcessEnv {
  return { ...process.env, [VARIABLE]: `${isTrial ? TRIAL : process.pid} ${fd}` };
}

/** What a successor says to the supervisor that started it, one JSON object a line. */
export type SuccessionLine =
  /** It hears workers there. */
  | { readonly links: string }
  /** It has everything. */
  | { readonly done: true }
  | { readonly failed: string };

/** This supervisor as the successor of another one. */
export class Succession {
  readonly isTrial: boolean;
  readonly #fd: number;

  private constructor(isTrial: boolean, fd: number) {
    this.isTrial = isTrial;
    this.#fd = fd;
  }

  static #current: Succession | null = null;

  /** What this process was started to succeed; null where it was not. Its workers do not inherit that. */
  static read(env: NodeJS.ProcessEnv = process.env): Succession | null {
    const value = env[VARIABLE];
    delete env[VARIABLE];
    if (value !== undefined) {
      const [before, fd] = value.split(' ');
      Succession.#current = new Succession(before === TRIAL, Number(fd));
      for (const name of PID_VARIABLES) if (env[name] === before) env[name] = String(process.pid);
    }
    return Succession.#current;
  }

  say(line: SuccessionLine): void {
    try {
      writeSync(this.#fd, `${JSON.stringify(line)}\n`);
      if (!('links' in line)) closeSync(this.#fd);
    } catch {
      // Whoever started it is gone: it succeeds all the same.
    }
  }
}
