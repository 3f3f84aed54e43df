import { isForApps, takesNext } from '../../options/node-options.ts';
import { type Launch, PLAIN } from './launch.ts';

/** What the words after `node` start; null where that is no file. */
export function readNodeCommand(words: readonly string[]): Launch | null {
  const options = new Set<string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) return { ...PLAIN, file: word, args: words.slice(at + 1), nodeOptions: [...options] };
    if (/^--watch\b/.test(word)) continue; // a reload is asked for, and not done at every change
    if (!isForApps(word)) return null;
    const taken = takesNext(word) ? words[at + 1] : undefined;
    if (taken !== undefined) at += 1;
    options.add(readOption(taken === undefined ? word : `${word.replace(/^-r$/, '--require')}=${taken}`));
  }
  return null; // it reads its program from stdin
}

/** tsx loads itself by two paths inside of itself; its name alone does the same. */
function readOption(option: string): string {
  return option.includes('/tsx/dist/') ? '--import=tsx' : option;
}
