import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onLastMoment } from '../exit.ts';
import { replaceOwn } from '../own-file.ts';
import type { Identity } from '../rights/act-as.ts';
import { mayRead } from '../rights/reachable.ts';
import { ownUid } from '../unix.ts';

const PRELOAD = fileURLToPath(new URL('./preload.cjs', import.meta.url));

/**
 * The file that workers load before the app, as it was when the supervisor started: an `npm ci` beside it may take it away,
 * or put that of another version in its place.
 *
 * A copy is written only while the file is not what it was. It is `.cjs`, so that no package.json has a say in it.
 */
export class HeldPreload {
  readonly #file: string;
  readonly #content: Buffer | null;
  /** Where a copy may be, the better place first. The names are the same after a restart: nothing piles up. */
  readonly #copies: readonly string[];
  #forget: (() => void) | null = null;

  /** @param socket the control socket: no other supervisor has its name, and mostly its folder is for this user only */
  constructor(socket: string, file = PRELOAD) {
    const hash = createHash('sha256').update(resolve(socket)).digest('hex').slice(0, 16);
    this.#file = file;
    this.#content = read(file);
    this.#copies = [
      `${resolve(socket)}.handover-preload.cjs`,
      join(tmpdir(), `handover-preload-${ownUid()}-${hash}.cjs`)
    ];
  }

  /** The path to load, at this moment: of the file, or of a copy of what it was. */
  get path(): string {
    return this.pathFor(null);
  }

  /** The same for workers of another user, who may not read everything. @param who null: this one */
  pathFor(who: Identity | null): string {
    const isSame = this.#content === null || read(this.#file)?.equals(this.#content);
    if (this.#content === null || (isSame && isReadable(who, this.#file))) return this.#file;
    for (const copy of this.#copies) {
      try {
        write(copy, this.#content, who === null ? 0o600 : 0o644);
        if (!isReadable(who, copy)) continue;
        this.#forget ??= onLastMoment(() => this.#removeCopies());
        // Node knows a loaded file by its real path, and the temp folder of macOS is behind a link.
        return realpathSync(copy);
      } catch {
        // No room here, or not safe: the next place may be better.
      }
    }
    // The worker says what is missing, and is tried again as any that exits.
    return this.#file;
  }

  /** Removes the copies, also those that a killed supervisor has left. Workers that run have loaded theirs. */
  remove(): void {
    this.#forget?.();
    this.#removeCopies();
  }

  #removeCopies(): void {
    for (const copy of this.#copies) {
      try {
        rmSync(copy, { force: true });
      } catch {
        // It is not ours, or its folder is read-only by now: the next supervisor of this name tries again.
      }
    }
  }
}

/** Writes a copy, unless it is there: something that cleans up temporary files may have taken it. */
function write(copy: string, content: Buffer, mode: number): void {
  refuseUnsafe(dirname(copy));
  if (isOurs(copy, mode) && read(copy)?.equals(content)) return;
  replaceOwn(copy, content, mode);
}

function isReadable(who: Identity | null, path: string): boolean {
  return who === null || mayRead(who, path);
}

/** @throws Error if somebody else could put a file of his own in the place of ours, for workers to run */
function refuseUnsafe(folder: string): void {
  const { uid, mode } = statSync(folder);
  const othersWrite = (mode & 0o022) !== 0;
  const isSticky = (mode & 0o1000) !== 0;
  if ((uid !== 0 && uid !== ownUid()) || (othersWrite && !isSticky)) throw new Error(`others can write to ${folder}`);
}

function isOurs(path: string, mode: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.uid === ownUid() && (stat.mode & 0o022) === 0 && (stat.mode & mode) === mode;
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null; // not there at this moment: it is not what it was
  }
}
