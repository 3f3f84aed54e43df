import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  writeSync
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HandoverError, systemCode } from '../errors.ts';

/** How often it is looked, while something is written, whether the file is still where it was. */
const LOOK_MS = 500;

/** What a file is made with: its group may read it. */
const MODE = 0o640;

const NEWLINE = 10;

export interface LogFileOptions {
  readonly path: string;
  /** Above this it is rotated; 0 for never. */
  readonly limitBytes: number;
  /** How many of the earlier ones are kept, as `path.1` to `path.n`. */
  readonly keep: number;
  /** Called once until it works again: what is written meanwhile is not in the file. */
  readonly onFailed: (reason: string) => void;
  /** @param lost how many lines are missing */
  readonly onMended: (lost: number) => void;
}

/**
 * A file to which whole lines are appended, each before the call returns: what was written is not lost with the process.
 *
 * It may be moved, removed or truncated by others at any time, such as logrotate; then it is opened anew, or goes on at its new end.
 */
export class LogFile {
  readonly path: string;
  readonly #options: LogFileOptions;
  #fd: number | null = null;
  #found: Stats | null = null;
  #size = 0;
  #limit: number;
  #lookedAt = 0;
  #hasFailed = false;
  #lost = 0;
  /** Whether the last line in it is not whole. */
  #isTorn = false;

  /** @throws HANDOVER_ERR_OPTION_INVALID where it cannot be written */
  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#limit = options.limitBytes || Number.POSITIVE_INFINITY;
    this.path = resolve(options.path);
    try {
      const there = statOf(this.path);
      if (there && !there.isFile() && !there.isCharacterDevice()) throw new Error('it is no file');
      this.#open();
    } catch (error) {
      throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
        what: `Cannot write the log file ${this.path}`,
        why: explain(error),
        fix: 'Give another path with --log-file, or make it writable for this user'
      });
    }
  }

  /** Appends whole lines. It never throws. */
  write(lines: Buffer): void {
    try {
      if (Date.now() - this.#lookedAt > LOOK_MS) this.#look();
      if (this.#size > 0 && this.#size + lines.length > this.#limit) this.#rotate();
      if (this.#isTorn) this.#append(Buffer.from('\n'));
      this.#append(lines);
    } catch (error) {
      this.#lost += count(lines);
      if (!this.#hasFailed) this.#options.onFailed(`${this.path}: ${explain(error)}`);
      this.#hasFailed = true;
      return;
    }
    if (!this.#hasFailed) return;
    const lost = this.#lost;
    this.#hasFailed = false;
    this.#lost = 0;
    this.#options.onMended(lost);
  }

  /** Opens the file that is at its path now. Where that cannot be, it stays with the one that it has. */
  reopen(): void {
    try {
      this.#open();
    } catch (error) {
      if (!this.#hasFailed) this.#options.onFailed(`${this.path}: ${explain(error)}`);
      this.#hasFailed = true;
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #open(): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o750 });
    const fd = openSync(this.path, 'a', MODE);
    this.close();
    this.#fd = fd;
    this.#note();
    this.#isTorn = false;
  }

  #note(): void {
    this.#found = this.#fd === null ? null : fstatSync(this.#fd);
    this.#size = this.#found?.size ?? 0;
    this.#lookedAt = Date.now();
  }

  /** Whether it was moved, removed or truncated. */
  #look(): void {
    if (this.#isInPlace()) this.#note();
    else this.#open();
  }

  #isInPlace(): boolean {
    const there = statOf(this.path);
    return there !== null && there.ino === this.#found?.ino && there.dev === this.#found.dev;
  }

  #append(bytes: Buffer): void {
    if (this.#fd === null) this.#open();
    for (let at = 0; at < bytes.length; ) {
      const written = writeSync(this.#fd ?? -1, bytes, at);
      at += written;
      this.#size += written;
      this.#isTorn = bytes[at - 1] !== NEWLINE;
    }
  }

  /** Moves it to `path.1`, that to `path.2`, and begins anew. */
  #rotate(): void {
    const { keep, limitBytes } = this.#options;
    // Another one may have rotated it, or be about to.
    if (!this.#isInPlace()) return this.#open();
    if (this.#found?.isFile() !== true) return;
    try {
      for (let n = keep - 1; n >= 1; n -= 1) move(`${this.path}.${n}`, `${this.path}.${n + 1}`);
      if (keep > 0) renameSync(this.path, `${this.path}.1`);
      else if (this.#fd !== null) ftruncateSync(this.#fd);
      this.#open();
      this.#limit = limitBytes;
    } catch (error) {
      // Rather a file that is too large than a line that is lost.
      this.#limit = this.#size + limitBytes;
      this.#options.onFailed(`${this.path} cannot be rotated: ${explain(error)}`);
    }
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null; // it is not there, or nobody may look: opening it says which
  }
}

function count(lines: Buffer): number {
  let found = 0;
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) found += 1;
  return found;
}

const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write it',
  EPERM: 'this user may not write it',
  EROFS: 'its file system can only be read',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENOENT: 'its folder is gone',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a part of its path is no folder',
  EISDIR: 'it is a folder'
};

function explain(error: unknown): string {
  const code = systemCode(error);
  if (code === null) return (error as Error).message;
  return Object.hasOwn(SYSTEM, code) ? `${SYSTEM[code]} (${code})` : `the system answered ${code}`;
}
