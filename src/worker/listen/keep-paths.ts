import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

type Call = (...args: unknown[]) => unknown;

/**
 * Keeps the app from removing the sockets of the service.
 *
 * Nearly every app that listens on a path removes a stale socket first, and often its own at the end. The one that is there
 * is the service's, on which the other version answers: to the app it seems to be gone, and it stays.
 *
 * @param isOurs whether the service answers on a path
 */
export function keepPaths(isOurs: (path: string) => boolean): void {
  for (const name of ['unlinkSync', 'rmSync'] as const) replace(fs, name, isOurs, () => {});
  for (const name of ['unlink', 'rm'] as const) {
    replace(fs, name, isOurs, (args) => {
      const done = args.at(-1);
      if (typeof done === 'function') process.nextTick(done, null);
    });
    replace(fs.promises, name, isOurs, async () => {});
  }
  syncBuiltinESMExports(); // for those who imported a function by its name
}

function replace<N extends string>(
  from: { [K in N]: unknown },
  name: N,
  isOurs: (path: string) => boolean,
  instead: (args: unknown[]) => unknown
): void {
  const original = from[name] as Call;
  const replaced = function (this: unknown, ...args: unknown[]) {
    const path = readPath(args[0]);
    return path !== null && isOurs(path) ? instead(args) : original.apply(this, args);
  };
  from[name] = Object.defineProperties(replaced, Object.getOwnPropertyDescriptors(original)) as Call;
}

function readPath(given: unknown): string | null {
  if (typeof given === 'string') return given.startsWith('\0') ? null : resolve(given);
  if (Buffer.isBuffer(given)) return resolve(given.toString());
  return given instanceof URL && given.protocol === 'file:' ? fileURLToPath(given) : null;
}
