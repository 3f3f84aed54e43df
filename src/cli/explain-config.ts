import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const CHECK_MS = 5_000;

/** Strings, which are passed over, and what people write in JSON that it does not have. */
const FOREIGN = /"(?:[^"\\\n]|\\.)*"|(?<comment>\/\/|\/\*|#)|(?<comma>,)(?=\s*[}\]])|(?<quote>')/g;

const WHY = {
  comment: 'JSON has no comments, and there is one in line',
  comma: 'JSON has no comma after the last value, and there is one in line',
  quote: 'JSON has no single quotes, and there is one in line'
} as const;

/** Why a text is no JSON: what does not belong there, with its line; null where the parser's words have to do. */
export function explainJson(text: string): string | null {
  if (text.trim() === '') return 'it is empty';
  for (const { index, groups = {} } of text.matchAll(FOREIGN)) {
    const found = (Object.keys(WHY) as (keyof typeof WHY)[]).find((kind) => groups[kind] !== undefined);
    if (found !== undefined) return `${WHY[found]} ${lineOf(text, index)}`;
  }
  return null;
}

/** Why JSON could not be read, in the parser's words; only newer versions of Node say the line. */
export function quoteJsonError(error: Error, text: string): string {
  const [, position] = /at position (\d+)$/.exec(error.message) ?? [];
  const line = position === undefined ? '' : ` (line ${lineOf(text, Number(position))})`;
  return `${error.name}: ${error.message}${line}`;
}

/** What a module threw when it was loaded, with the line where Node says it. */
export async function explainThrown(error: unknown, path: string): Promise<string> {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const line = readLine(error.stack) ?? (error instanceof SyntaxError ? await checkSyntax(path) : null);
  return `${error.name}: ${error.message}${line === null ? '' : ` (line ${line})`}`;
}

/** Node tells where an ES module is wrong only when it is the one that is asked about. */
async function checkSyntax(path: string): Promise<string | null> {
  try {
    await promisify(execFile)(process.execPath, ['--check', path], { timeout: CHECK_MS });
    return null; // the mistake is in a file that it loads
  } catch (error) {
    return readLine((error as { stderr?: string }).stderr);
  }
}

function readLine(text = ''): string | null {
  return /^\S+:(\d+)\n/.exec(text)?.[1] ?? null;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
