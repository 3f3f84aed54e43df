import { stripVTControlCharacters } from 'node:util';

/** An error as a process wrote it. */
export interface WrittenError {
  /** Its own line, with its code and its causes: what it is about. */
  readonly title: string;
  /** Where it begins, as an index of the lines. */
  readonly from: number;
  /** The file and line that Node shows above it. */
  readonly place: string | null;
}

/** How many lines above an error its place is. */
export const PLACE_LINES = 3;
export const FRAME = /^\s+at\s.+/;
const ERROR = /(?:^|[\s[(])(?:[A-Za-z_$][\w$.]*)?(?:Error|Exception)(?: \[[\w ]+\])?(?::|\s*$|\])/;
const NESTED = /^\s|^\[(?:cause|errors)\]/;
/** What is final although no stack follows, or one that is not of JavaScript. */
const FATAL =
  /^(?:FATAL ERROR: |\S+: bad option: |Warning: Detected unsettled top-level await|Uncaught(?:\s|:)|fatal\b|panic\b)/i;
const TITLE_LENGTH = 300;
/** How many lines above its stack the title of an error may be: messages of several lines are usual. */
const MESSAGE_LINES = 12;

/** Finds the last error that a process wrote: as Node prints it, as `console.error` does, or as a JSON logger. */
export function findError(written: readonly string[]): WrittenError | null {
  const lines = written.map((line) => stripVTControlCharacters(line));
  const from =
    last(lines, (line) => FATAL.test(line)) ??
    lastWithStack(lines) ??
    last(lines, (line) => readLogged(line) !== null) ??
    last(lines, (line) => ERROR.test(line) && !NESTED.test(line));
  if (from === null) return null;
  const title = readLogged(lines[from] ?? '') ?? titleAt(lines, from);
  // Above an error that nobody caught, Node shows its place: file and line, the code, and a mark.
  const [, place = null] = /^(?:file:\/\/)?(\/.*:\d+)$/.exec(lines[from - PLACE_LINES] ?? '') ?? [];
  return { title: title.slice(0, TITLE_LENGTH), from, place };
}

/** The last line that begins an error with a stack, and is not the cause of another. */
function lastWithStack(lines: readonly string[]): number | null {
  for (let at = lines.length - 1; at > 0; at -= 1) {
    if (!FRAME.test(lines[at] ?? '') || FRAME.test(lines[at - 1] ?? '')) continue;
    for (let up = at - 1; up >= Math.max(0, at - MESSAGE_LINES); up -= 1) {
      const line = lines[up] ?? '';
      if (FRAME.test(line)) break;
      if (ERROR.test(line)) {
        if (NESTED.test(line)) break;
        return up;
      }
    }
  }
  return null;
}

function last(lines: readonly string[], fits: (line: string) => boolean): number | null {
  const at = lines.findLastIndex(fits);
  return at < 0 ? null : at;
}

function titleAt(lines: readonly string[], from: number): string {
  const rest = lines.slice(from + 1);
  let title = (lines[from] ?? '').trim().replace(/\s*\{$/, '');
  // `Invalid invocation:` and the like: what it is about comes in the lines that follow.
  for (const line of rest.slice(0, 3)) {
    if (!title.endsWith(':') || FRAME.test(line)) break;
    title += ` ${line.trim()}`;
  }
  const [, code] = rest.map((line) => /^ {2}code: '([\w.]+)'/.exec(line)).find((found) => found !== null) ?? [];
  if (code !== undefined && !title.includes(code)) title += ` (${code})`;
  const parts = rest
    .map((line) => /^\s+\[(?:cause)\]: (.*?)\s*\{?$/.exec(line)?.[1])
    .filter((one) => one !== undefined);
  const members = rest.filter((line) => /^ {4}\w/.test(line) && ERROR.test(line)).map((line) => line.trim());
  if (/^\w*AggregateError/.test(title) && members.length > 0) parts.unshift(...members.slice(0, 3));
  return parts.length === 0 ? title : `${title.replace(/:$/, '')}, caused by ${parts.slice(0, 3).join('; ')}`;
}

const LEVELS = ['error', 'err', 'fatal', 'critical', 'crit', 'alert', 'emerg', 'emergency', 'panic'];

/** The message of a line that a JSON logger (pino, winston, bunyan) wrote as an error; null for any other line. */
function readLogged(line: string): string | null {
  if (!line.startsWith('{') || !line.endsWith('}')) return null;
  try {
    const { level, severity, msg, message, err, error } = JSON.parse(line) as { readonly [field: string]: unknown };
    const weight = level ?? severity;
    const isError = typeof weight === 'number' ? weight >= 50 : LEVELS.includes(String(weight).toLowerCase());
    if (!isError) return null;
    const said = [msg ?? message, messageOf(err ?? error)].filter((one) => typeof one === 'string' && one !== '');
    return [...new Set(said)].join(': ').split('\n', 1)[0] || null;
  } catch {
    return null; // it only looked like JSON, or was cut
  }
}

function messageOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { type, name, message } = error as { readonly [field: string]: unknown };
  const kind = type ?? name;
  return typeof kind === 'string' && typeof message === 'string' ? `${kind}: ${message}` : message;
}
