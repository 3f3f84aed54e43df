import type { Help, Option, Command as Parser } from './commander.ts';

// How a help is laid out, so that it fits a screen.

/** What is wider stands on a line of its own, with its description below. */
const WIDEST_TERM = 26;

/** How wide the column of names is. */
export function padWidth(parser: Parser, helper: Help): number {
  const terms = [
    ...helper.visibleOptions(parser).map((option) => helper.optionTerm(option)),
    ...helper.visibleCommands(parser).map((command) => helper.subcommandTerm(command))
  ];
  const widths = terms.map((term) => helper.displayWidth(term)).filter((width) => width <= WIDEST_TERM);
  return Math.max(0, ...widths);
}

/** One name with its description beside it. */
export function formatItem(term: string, width: number, description: string, helper: Help): string {
  const gap = ' '.repeat(width + 4);
  const room = (helper.helpWidth ?? 80) - gap.length;
  const text = room < (helper.minWidthToWrap ?? 30) ? description : helper.boxWrap(description, room);
  const lines = text.replaceAll('\n', `\n${gap}`);
  return helper.displayWidth(term) > width ? `  ${term}\n${gap}${lines}` : `  ${term.padEnd(width)}  ${lines}`;
}

/** What is said of an option on one screen: the first sentence, and the default. */
export function shortenAbout(text: string): string {
  const [first = ''] = text.split(/(?<=[.])\s(?=[A-Z`])/);
  const [fallback = ''] = / Default: [^ ]+\.$/.exec(text) ?? [];
  return first.includes(fallback.trim()) ? first : `${first}${fallback}`;
}

/** What is said of a command in the list of all. */
export function shortenCommand(text: string): string {
  const [first = ''] = text.split(/[:;](?= )/);
  return first.endsWith('.') ? first : `${first}.`;
}

/** The flags that a screen has no room to explain, by their names. */
export function listRare(name: string, rare: readonly Option[], width: number): string {
  const words = [`Explained by "handover help ${name}", or --help --all:`, ...rare.map(({ long }) => String(long))];
  let text = '';
  let left = 0;
  for (const word of words) {
    const fits = word.length < left;
    text += fits ? ` ${word}` : `\n${word}`;
    left = (fits ? left - 1 : width) - word.length;
  }
  return text;
}
