import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

type Call = (...args: unknown[]) => unknown;
/** What is done in place of a call that names a path of the service. */
type Instead = (path: string, args: unknown[], original: (...args: unknown[]) => unknown) => unknown;

const { lstatSync, readdirSync, rmSync } = fs;

/** By these an app sees whether something is there. */
const LOOKS = ['existsSync', 'exists', 'statSync', 'stat', 'lstatSync', 'lstat', 'accessSync', 'access'] as const;
const PROMISED_LOOKS = ['stat', 'lstat', 'access'] as const;

/**
 * Keeps the app from removing the sockets of the service.
 *
 * Nearly every app that listens on a path removes a stale socket first, and often its own at the end; some remove the folder.
 * What is there is the service's, on which the other version answers: it stays, and to the app it is gone until it listens there.
 *
 * @param ours the paths on which the service answers
 * @returns to be called with the path that the app listens on
 */
export function keepPaths(ours: () => readonly string[]): (path: string) => void {
  /** What the app has removed, as it thinks: sockets, and folders with one inside. */
  const removed = new Set<string>();
  const appear = (path: string) => {
    for (const one of removed) if (path === one || isInside(path, one)) removed.delete(one);
  };
  const isOurs = (path: string) => ours().includes(path);
  const isAround = (path: string) => ours().some((one) => isInside(one, path)) && isFolder(path);
  const isRemoved = (path: string) => removed.has(path);

  const forget: Instead = (path) => void removed.add(path);
  const clear: Instead = (path, args, original) => {
    const options = args[1] as fs.RmOptions | undefined;
    if (isOurs(path)) removed.add(path);
    else if (options?.recursive !== true) return original(...args);
    else for (const one of clearAround(path, ours(), options)) removed.add(one);
  };
  const isCleared = (path: string) => isOurs(path) || isAround(path);
  replace(fs, ['unlinkSync'], isOurs, forget);
  replace(fs, ['unlink'], isOurs, withCallback(forget));
  replace(fs.promises, ['unlink'], isOurs, promised(forget));
  replace(fs, ['rmSync'], isCleared, clear);
  replace(fs, ['rm'], isCleared, withCallback(clear));
  replace(fs.promises, ['rm'], isCleared, promised(clear));

  const makeAgain: Instead = (path, args, original) => {
    appear(path);
    return original(args[0], { recursive: true }, ...args.filter((arg) => typeof arg === 'function'));
  };
  replace(fs, ['mkdirSync', 'mkdir'], isRemoved, makeAgain);
  replace(fs.promises, ['mkdir'], isRemoved, makeAgain);

  // Node itself then says that nothing is there, in the way of each call; who sees the error is told why.
  const miss: Instead = (path, [, ...rest], original) => original(`${path} (removed by this worker)`, ...rest);
  replace(fs, LOOKS, isRemoved, miss);
  replace(fs.promises, PROMISED_LOOKS, isRemoved, miss);
  syncBuiltinESMExports(); // for those who imported a function by its name
  return appear;
}

/** Whether a path is really gone, whatever the app is told. */
export function isGone(path: string): boolean {
  return !path.startsWith('\0') && lstatSync(path, { throwIfNoEntry: false }) === undefined;
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Removes what is in a folder, without the sockets of the service. Gives these and the folders they are in. */
function clearAround(folder: string, ours: readonly string[], options: fs.RmOptions): string[] {
  const kept = [folder];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (ours.includes(path)) kept.push(path);
    else if (ours.some((one) => isInside(one, path)) && isFolder(path)) kept.push(...clearAround(path, ours, options));
    else rmSync(path, options);
  }
  return kept;
}

/** The form with a callback. `original` has called it then, and nothing is left to be said. */
function withCallback(instead: Instead): Instead {
  return (path, args, original) => {
    const done = args.at(-1);
    if (typeof done !== 'function') return original(...args); // for Node's own error
    let passed = false;
    const pass = (...given: unknown[]) => {
      passed = true;
      return original(...given);
    };
    let failure: unknown = null;
    try {
      instead(path, args, pass);
    } catch (error) {
      failure = error;
    }
    if (!passed) process.nextTick(done, failure);
  };
}

function promised(instead: Instead): Instead {
  return async (...call) => instead(...call);
}

function replace<N extends string>(
  from: { [K in N]: unknown },
  names: readonly N[],
  isMeant: (path: string) => boolean,
  instead: Instead
): void {
  for (const name of names) {
    const original = from[name] as Call;
    const replaced = function (this: unknown, ...args: unknown[]) {
      const path = readPath(args[0]);
      if (path === null || !isMeant(path)) return original.apply(this, args);
      return instead(path, args, (...given) => original.apply(this, given));
    };
    from[name] = Object.defineProperties(replaced, Object.getOwnPropertyDescriptors(original)) as Call;
  }
}

function readPath(given: unknown): string | null {
  if (typeof given === 'string') return given.startsWith('\0') ? null : resolve(given);
  if (Buffer.isBuffer(given)) return resolve(given.toString());
  return given instanceof URL && given.protocol === 'file:' ? fileURLToPath(given) : null;
}
