import { type Asked, type Command, readCommand, usageOf } from './command.ts';
import { endAll } from './processes.ts';
import { Refusal } from './refusal.ts';

/** Runs a command of the bench as it was asked to. */
export function runCommand(
  command: Command,
  main: (asked: Asked) => Promise<void>,
  end: () => Promise<unknown> = endAll
): Promise<void> {
  return runToEnd(async () => {
    const asked = readCommand(command, process.argv.slice(2));
    if (asked) await main(asked);
    else process.stdout.write(`${usageOf(command)}\n`);
  }, end);
}

/** Runs something and ends it: however that comes, by itself or by a signal, nothing that was started stays. */
export async function runToEnd(main: () => Promise<void>, end: () => Promise<unknown>): Promise<void> {
  let brokenOff = false;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const) {
    process.on(signal, () => {
      if (brokenOff) return; // it is being ended already
      brokenOff = true;
      process.stderr.write(`\nBroken off by ${signal}: ending what was started.\n`);
      void end().finally(() => process.exit(code));
    });
  }
  try {
    await main();
  } catch (error) {
    if (error instanceof Refusal) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 2;
    } else if (!brokenOff) throw error; // what was being measured fails then, and that is no news
  } finally {
    await end();
  }
}
