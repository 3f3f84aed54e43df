/** What a line of a shell does: several commands, of which the last one stays. */
export interface Line {
  /** The words of the last command; null where only a shell can tell them. */
  readonly words: readonly string[] | null;
  /** What is run before it, as it was written. */
  readonly first: readonly string[];
}

const WORD = /"([^"\\]*)"|'([^']*)'|([^\s"'\\]+)/g;
/** What only a shell can do: pipes, files, the output of commands, several programs at a time, words of several parts. */
const FOR_SHELLS = /[|<>;`&\\()]|["'][^\s"']/;

/** Reads a line as far as it is a plain command, or several with `&&` between them. */
export function readLine(line: string): Line {
  const commands = line.split('&&').map((command) => command.trim());
  const last = commands.at(-1) ?? '';
  const words = [...last.matchAll(WORD)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
  return { words: isPlain(last) && words.length > 0 ? words : null, first: commands.slice(0, -1) };
}

/** Quoted words are whole words: `A="b c"` is for a shell. */
function isPlain(command: string): boolean {
  const bare = command.replace(/(^|\s)(?:"[^"\\`]*"|'[^']*')(?=\s|$)/g, '$1x');
  return !/["']/.test(bare) && !FOR_SHELLS.test(bare);
}
