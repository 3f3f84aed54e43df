/** Options of Node whose value may be the next word. */
const WITH_VALUE = /^(?:-r|--require|--import|--loader|--experimental-loader|--env-file|-C|--conditions)$/;

/** Options with which Node does something else than run an app and stay with it. */
const NO_APP =
  /^(?:-|--|-e|--eval|-p|--print|-pe|-c|--check|-i|--interactive|-v|--version|-h|--help|--run|--test|--watch(?:-.*)?|--build-snapshot|--v8-options|--prof-process)(?:=|$)/;

/** Whether an option of Node takes the word after it. */
export function takesNext(option: string): boolean {
  return WITH_VALUE.test(option);
}

/** Whether somebody who runs an app may give it to Node. */
export function isForApps(option: string): boolean {
  return !NO_APP.test(option);
}

/** Tells an option from its value where both were given in one text, as in `-r dotenv/config`. */
export function splitNodeOptions(given: readonly string[]): string[] {
  return given.flatMap((text) => {
    const [, option, value] = /^(-[\w-]+)\s+(\S.*)$/s.exec(text.trim()) ?? [];
    return option !== undefined && value !== undefined && takesNext(option) ? [option, value] : [text.trim()];
  });
}

/** Whether Node would take all of them as options: a word too many would be run in place of the entry. */
export function areNodeOptions(given: readonly string[]): boolean {
  const words = splitNodeOptions(given);
  return words.every((word, at) => {
    const awaited = takesNext(words[at - 1] ?? '');
    const complete = !takesNext(word) || at + 1 < words.length;
    return awaited ? word !== '' && !word.startsWith('-') : word.startsWith('-') && isForApps(word) && complete;
  });
}
