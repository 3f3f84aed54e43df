import { HandoverError } from '../errors.ts';
import type { Told } from './commands/command.ts';
import { createIo } from './io.ts';
import { printFailure } from './print.ts';
import { readCommandLine } from './program.ts';

/** How long what a config file left open (a timer, a connection) may keep a command that has done its work. */
const LINGER_MS = 1_000;

const args = process.argv.slice(2);
const io = createIo(process.stdout, process.stderr);
// Everything after the entry of `run`, and after a `--`, is the app's, a --json too.
const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
const told: Told = { form: args[0] !== 'run' && own.includes('--json') ? 'json' : 'text' };

try {
  const call = await readCommandLine(args, io);
  const code = await call?.command.run(call.given, io, told);
  if (typeof code === 'number') process.exitCode = code;
  end();
} catch (error) {
  const failure = HandoverError.from(error);
  printFailure(failure, told.form, io);
  process.exitCode = failure.exitCode;
  // The workers of a first generation that failed may still be ending: `run` ends after them.
  if (args[0] !== 'run') end();
}

/** Ends a command whose work is done. Code of the user's config may hold the loop, which would never end then. */
function end(): void {
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
