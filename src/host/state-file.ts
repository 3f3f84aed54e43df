import { renameSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCode } from '../errors.ts';
import { readOwn } from './own-file.ts';
import { type FileState, formatState, parseState, type SavedFileState } from './state-file-format.ts';

export type { FileState };

/** How long news is collected before it is written. */
const COLLECT_MS = 250;

/** Where the state of a service is kept unless an option says otherwise: beside its control socket. */
export function statePath(socket: string): string {
  return `${socket.replace(/\.sock$/, '')}.state.json`;
}

/**
 * Reads what an earlier supervisor left.
 *
 * A file that is damaged, or not ours, is moved aside and never overwritten; the service starts all the same.
 *
 * @returns `warning` where something was there and could not be used
 */
export function loadState(path: string): { state: SavedFileState | null; warning: string | null } {
  try {
    // What it names is started by `rollback --to`.
    return { state: parseState(readOwn(path)), warning: null };
  } catch (error) {
    const reason = systemCode(error) ?? (error as Error).message;
    if (reason === 'ENOENT') return { state: null, warning: null };
    // A folder is a slip in an option: it cannot be written over, and is not moved about.
    const fate = reason === 'EISDIR' ? 'nothing will be kept' : moveAside(path);
    return { state: null, warning: `the history in ${path} cannot be used (${reason}); ${fate}${advise(reason)}` };
  }
}

/** What to do about a file that cannot be used, where the system's code says it. */
function advise(code: string): string {
  if (code === 'EISDIR') return '; name a file with --state-file, and not a folder';
  if (code === 'ENOSPC' || code === 'EDQUOT') return '; free some room on its disk: it is tried again with each change';
  if (['EACCES', 'EPERM', 'EROFS'].includes(code))
    return '; let this user write there, or choose another place with --state-file';
  return '';
}

function moveAside(path: string): string {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  try {
    renameSync(path, aside);
    return `it was moved to ${aside}, and a new one begins`;
  } catch (error) {
    return `it could not be moved aside (${systemCode(error) ?? String(error)}), and a new one begins`;
  }
}

/**
 * Keeps the state of a service in a file.
 *
 * Written aside, then renamed: whoever reads it, at whatever moment, finds a whole one. One write at a time; what came
 * last is what stays. What cannot be written is not fatal, and told once until it can be again.
 */
export class StateFile {
  readonly #path: string;
  readonly #warn: (why: string) => void;
  #next: FileState | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(path: string, warn: (why: string) => void) {
    this.#path = resolve(path);
    this.#warn = warn;
  }

  /** Notes what is to be kept. It is written soon, with all that comes until then. */
  save(state: FileState): void {
    this.#next = state;
    this.#timer ??= setTimeout(() => void this.flush(), COLLECT_MS).unref();
  }

  /** Settles when all that was noted is written, or could not be. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const state = this.#next;
    this.#next = null;
    if (!state) return;
    try {
      await replaceFile(this.#path, formatState(state, Date.now()));
      this.#failing = false;
    } catch (error) {
      if (this.#failing) return;
      this.#failing = true;
      const reason = systemCode(error) ?? String(error);
      this.#warn(`the history cannot be kept in ${this.#path} (${reason})${advise(reason)}`);
    }
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(aside, { force: true });
  try {
    // Environments hold secrets: nobody else may read it, and 'wx' follows no link that somebody put there.
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
