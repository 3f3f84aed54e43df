/** Tells the words of a command line apart, as a shell would: at spaces that are in no quotes. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [whole] of line.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)) {
    words.push(
      whole.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) =>
        escaped !== undefined ? escaped : double !== undefined ? double.replace(/\\(["\\$`])/g, '$1') : single
      )
    );
  }
  return words;
}

/** What PM2 takes as a list of words: a list, or one text. */
export function toWords(given: unknown): string[] {
  if (Array.isArray(given)) return given.filter((one) => one !== null && one !== undefined).map(String);
  return typeof given === 'string' ? splitWords(given) : [];
}

/** Whether only a shell could run a line. */
export function needsShell(line: string): boolean {
  return /[|&;<>()$`*?]/.test(line.replace(/'[^']*'/g, ''));
}
