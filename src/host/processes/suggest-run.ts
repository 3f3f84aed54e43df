import { basename, relative, resolve } from 'node:path';
import { showLaunch } from '../entry/launch.ts';
import { readNodeCommand } from '../entry/node-command.ts';
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
  const launch = /^node(?:js)?$/.test(basename(program)) ? readNodeCommand(words) : null;
  if (!launch) return null;
  const file = relative(folder, resolve(cwd, launch.file)) || launch.file;
  const { length } = launch.args;
  const args = length === 0 || length > MOST_ARGUMENTS ? [] : ['--', ...launch.args];
  return showLaunch({ ...launch, file, args }, 'handover run');
}
