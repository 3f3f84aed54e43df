/** An event as it is told: that of the log, with the name of the app and a line for people. */
export interface ToldEvent {
  readonly app: string;
  /** ISO 8601. */
  readonly time: string;
  readonly level: 'info' | 'warn' | 'error';
  /** Its name, such as `cutover`. */
  readonly event: string;
  /** What it says, for people: chats show it. */
  readonly text: string;
  /** What else is known: `generation`, `worker`, `reason` and more, by event. */
  readonly [detail: string]: unknown;
}

/** Whoever is told of events, in code. */
export type EventFunction = (event: ToldEvent) => unknown;

/** Whoever is told of events. */
export type EventTarget = EventFunction | { readonly url: string } | { readonly command: string };

/** Reads `onEvent`: a function, a URL, or a command of the shell. */
export function readEventTarget(given: unknown): EventTarget | undefined {
  if (typeof given === 'function') return given as EventFunction;
  if (typeof given !== 'string' || given.trim() === '' || given.includes('\0')) return undefined;
  if (!/^\w+:\/\//.test(given)) return { command: given };
  return /^https?:/i.test(given) && URL.canParse(given) ? { url: given } : undefined;
}
