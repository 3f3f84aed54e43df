import { FRAME, findError, PLACE_LINES, type WrittenError } from './error-text.ts';
import { hideSecrets } from './secrets.ts';

/** What a process has written, oldest line first. */
export interface Written {
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** Why a process ended, as far as it said. */
export interface LastWords {
  /** The one line that says what went wrong; null where none does. */
  readonly error: string | null;
  /** What it wrote, for the end of a sentence: it begins with `; ` and may have several lines. */
  readonly quote: string;
}

/** How many lines an error message quotes, and how long they may be. */
const QUOTED_LINES = 12;
const QUOTED_LENGTH = 300;

/**
 * Finds what a process said last: its error's own line first, then as much as fits.
 *
 * @param early whether it ended by itself before it served: its last line counts as its error then, and stdout where
 * stderr has none
 * @param told the error, where the process could tell it by itself: more certain than anything found in text
 */
export function findLastWords(
  { stdout, stderr }: Written,
  early: boolean,
  told: string | null,
  env: NodeJS.ProcessEnv
): LastWords {
  const inStderr = findError(stderr);
  const inStdout = early && told === null && inStderr === null ? findError(stdout) : null;
  const quotesStdout = inStdout !== null || (early && stderr.length === 0 && stdout.length > 0);
  const lines = quotesStdout ? stdout : stderr;
  const found = inStderr ?? inStdout;
  const error = told ?? found?.title ?? (early ? lastLine(lines) : undefined);
  const isAll = lines.length === 0 || (lines.length === 1 && lines[0]?.trim() === error);
  const lead = stderr.length === 0 ? '; it wrote nothing to stderr' : '';
  const quoted = `${lead}; ${name(quotesStdout)}:\n${quoteLines(lines, found)}\n`;
  return {
    error: error === undefined ? null : hideSecrets(withPlace(cut(error), found), env),
    quote: isAll ? lead : hideSecrets(quoted, env)
  };
}

function name(quotesStdout: boolean): string {
  return `the last lines of its ${quotesStdout ? 'stdout' : 'stderr'}`;
}

/** The last line that is not Node's own. */
function lastLine(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => !/^Node\.js v|^\(Use `node /.test(line))?.trim();
}

function withPlace(error: string, found: WrittenError | null): string {
  return found?.place && !/:\d+\)$/.test(error) ? `${error} (${found.place})` : error;
}

function quoteLines(lines: readonly string[], found: WrittenError | null): string {
  return choose(lines, found)
    .map((line) => `    ${cut(line)}`)
    .join('\n');
}

/** The lines that are worth the room: of an error its beginning, and of its stack what is the app's own. */
function choose(lines: readonly string[], found: WrittenError | null): readonly string[] {
  if (lines.length <= QUOTED_LINES) return lines;
  if (found === null) return lines.slice(-QUOTED_LINES);
  const error = lines.slice(found.from - (found.place === null ? 0 : PLACE_LINES));
  let tooMany = error.length - QUOTED_LINES;
  const drop = (isLess: (line: string) => boolean) => {
    for (let at = error.length - 1; at > 0 && tooMany > 0; at -= 1) {
      if (!isLess(error[at] ?? '')) continue;
      error.splice(at, 1);
      tooMany -= 1;
    }
  };
  drop((line) => FRAME.test(line) && /node:|node_modules/.test(line));
  drop((line) => FRAME.test(line));
  return error.slice(0, QUOTED_LINES);
}

function cut(line: string): string {
  return line.length <= QUOTED_LENGTH ? line : `${line.slice(0, QUOTED_LENGTH)}...`;
}
