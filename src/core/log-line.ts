import type { Notice } from './state/state.ts';

/** One line that a worker wrote. */
export interface OutputLine {
  /** When it was read, ISO 8601. */
  readonly time: string;
  readonly generation: number;
  /** Id of the worker, such as `7.1`. */
  readonly worker: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without its newline. */
  readonly line: string;
}

/** An event of the supervisor, as one line of its log. */
export type EventLine = Notice & { readonly time: string };

/** One line of a service: of a worker, or of its supervisor. */
export type LogLine = OutputLine | EventLine;

/** Which lines are wanted. */
export interface LogFilter {
  /** Of one worker (`7.1`) or one generation (`7`). */
  readonly of?: string;
  /** What workers wrote, or what the supervisor says. Without it both. */
  readonly kind?: 'output' | 'events';
}
