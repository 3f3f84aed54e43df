import { advise } from './advice.ts';
import type { Reason } from './family.ts';
import { findLastWords, type Written } from './last-words.ts';

/** How a worker ended, as far as it was seen. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether an earlier supervisor had started it: only its parent hears how a process ends. */
  readonly isAdopted: boolean;
  /** Whether the supervisor ended it. */
  readonly asked: boolean;
  /** Whether it never was ready. */
  readonly early: boolean;
  /** Why a listen() of it failed. */
  readonly bindFailure: string | null;
  /** What it threw and did not catch. */
  readonly uncaught: string | null;
  readonly written: Written;
  /** What of it is still there. */
  readonly left: Reason | null;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
}

/** Node's exit code for a top-level await that can never settle. */
const UNSETTLED = 13;
const UNSETTLED_FIX = 'Look what that await waits for: nothing was left that could settle it';
const IDLE_FIX =
  'Let the entry call listen(): an app that it only exports is not started, and what has nothing left to do ends';

/** Says how a worker ended: the error's own line on the first line, then what it wrote. */
export function explainEnding(ending: Ending): Reason {
  const { code, signal, early, bindFailure, uncaught, written, left, env, folder } = ending;
  const { error, quote } = findLastWords(written, early && signal === null, uncaught, env);
  const when = !early ? '' : bindFailure === null ? ' before it listened' : ` (${bindFailure})`;
  const said = error === null ? '' : `: ${error}`;
  const idle = early && code === 0 && left === null && written.stderr.length === 0;
  const others = left === null ? '' : `; it left ${left.why}`;
  const why = `${describeHow(ending)}${when}${said}${others}${quote}`;
  return {
    why,
    fix: left?.fix ?? advise(error, folder) ?? (idle ? IDLE_FIX : code === UNSETTLED ? UNSETTLED_FIX : null)
  };
}

function describeHow({ code, signal, asked, isAdopted }: Ending): string {
  if (isAdopted) return 'has ended; its exit code is not known, since an earlier supervisor had started it';
  if (signal === 'SIGKILL' && !asked)
    return 'was ended by SIGKILL, which did not come from handover (the kernel sends it when memory runs out)';
  if (signal !== null) return `was ended by ${signal}`;
  return `exited with code ${code}${code === UNSETTLED ? ' (a top-level await never settled)' : ''}`;
}
