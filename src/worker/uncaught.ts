import { inspect } from 'node:util';
import type { Channel } from './channel.ts';

const TEXT_LENGTH = 600;
const DEEPEST_CAUSE = 3;
/** The text by which Node wraps a rejection whose reason is not an error. */
const REJECTED = /^This error originated either .* The promise rejected with the reason (.*)\.$/s;
/** How often errors that the app handles are reported, at most: it may throw a thousand a second. */
const HANDLED_MS = 1_000;

/** Reports uncaught exceptions of the app to the supervisor, without changing what happens to them. */
export function tellUncaught(channel: Channel): void {
  let lastAt = Number.NEGATIVE_INFINITY;
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    const now = performance.now();
    const fatal = process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback();
    if (!fatal && now - lastAt < HANDLED_MS) return;
    lastAt = now;
    const told = describe(error);
    // It may be the last thing that it says, before it is even connected.
    if (told !== null) channel.sendNow({ type: 'uncaught', error: told, fatal });
  });
}

/** An error in one line: its title, its causes, and where the app threw it. */
function describe(error: unknown): string | null {
  try {
    const place = error instanceof Error ? placeOf(error) : null;
    return `${titleOf(error, 0)}${place === null ? '' : ` (${place})`}`.slice(0, TEXT_LENGTH);
  } catch {
    return null; // a getter of it throws: the supervisor reads what Node prints instead
  }
}

function titleOf(error: unknown, depth: number): string {
  if (!isError(error)) return `${inspect(error, { depth: 1, breakLength: Number.POSITIVE_INFINITY })} was thrown`;
  const { message, code, cause } = error as NodeJS.ErrnoException;
  const name = error.name === 'Error' ? (error.constructor?.name ?? 'Error') : error.name;
  const said = firstLines(String(message).replace(REJECTED, 'a promise was rejected with $1'));
  const known = typeof code !== 'string' || said.includes(code) || name.includes(code);
  const title = [known ? name : `${name} [${code}]`, said].filter((part) => part !== '').join(': ');
  const { errors } = error as AggregateError;
  const members = Array.isArray(errors) ? errors.slice(0, DEEPEST_CAUSE) : [];
  const causes = [...members, ...(cause === undefined || cause === null ? [] : [cause])];
  if (causes.length === 0 || depth >= DEEPEST_CAUSE) return title;
  return `${title}, caused by ${causes.map((one) => titleOf(one, depth + 1)).join('; ')}`;
}

/** Whether a value is an error, those of another realm (`vm`, jest) included. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** The first line of a message, and the next ones as long as it ends with a colon (`Invalid invocation:`). */
function firstLines(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  let said = (lines.shift() ?? '').trim();
  for (let line = lines.shift(); line !== undefined && said.endsWith(':'); line = lines.shift())
    said += ` ${line.trim()}`;
  return said;
}

/** What is not the app's own code: packages, and the copy of our preload that workers get while its package is replaced. */
const NOT_THE_APP = /\/node_modules\/|\/[^/]*handover-preload[^/]*\.cjs:/;

/** Where an error comes from: the first place that is not Node's own or a package's. */
function placeOf({ stack }: Error): string | null {
  const lines = String(stack).split('\n');
  const syntax = /^(?:file:\/\/)?(\/.*:\d+)$/.exec(lines[0] ?? '');
  if (syntax) return syntax[1] ?? null;
  for (const line of lines) {
    const [, place] = /^\s+at (?:.*?[( ])?(?:file:\/\/)?(\/[^()]*:\d+:\d+)\)?$/.exec(line) ?? [];
    if (place !== undefined && !NOT_THE_APP.test(place)) return place;
  }
  return null;
}
