import { basename, relative, resolve } from 'node:path';
import { takesNext } from '../../options/node-options.ts';
import type { Seen } from './observe.ts';

const MOST_ARGUMENTS = 4;

/**
 * The command that runs under handover what a child process of an app runs.
 *
 * @param folder where the app was started, and the command would be
 * @returns null where it is not a file that Node runs
 */
export function suggestRun({ argv, cwd }: Seen, folder: string): string | null {
  const [program = '', ...words] = argv;
  if (!/^node(?:js)?$/.test(basename(program))) return null;
  const options = new Set<string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) {
      const file = relative(folder, resolve(cwd, word)) || word;
      const rest = words.slice(at + 1);
      const args = rest.length === 0 || rest.length > MOST_ARGUMENTS ? [] : ['--', ...rest];
      const flags = [...options].map((option) => `--node-option=${option}`);
      return ['handover run', ...flags, file, ...args].map(quote).join(' ');
    }
    if (/^(?:-e|-p|-pe|--eval|--print)$/.test(word)) return null; // there is no file
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

function quote(word: string, index: number): string {
  return index === 0 || /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
