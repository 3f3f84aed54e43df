import { createHmac, timingSafeEqual } from 'node:crypto';
import { createSecret } from './links.ts';
import { readOwn, replaceOwn } from './own-file.ts';
import { isStopped, startTimeOf } from './processes/running-process.ts';
import { removeQuietly } from './unix.ts';

/** A worker as the next supervisor is to find it. */
export interface NamedWorker {
  readonly id: string;
  readonly pid: number;
  /** By which it is told from another process that has its pid by now; null where the system does not say. */
  readonly startedAt: string | null;
}

interface Content {
  readonly secret: string;
  /** What only supervisors know. */
  readonly key: string;
  /** The supervisor that wrote it. */
  readonly holder: Omit<NamedWorker, 'id'>;
  readonly workers: readonly NamedWorker[];
}

/**
 * Names the workers that run, beside the socket on which they knock, with the secret by which they are known: for the next
 * supervisor. It is written at once whenever a worker is started or has ended.
 */
export class LinkFile {
  readonly #path: string;
  readonly #onFailure: (why: string) => void;
  readonly secret: string;
  readonly #key: string;
  /** What an earlier supervisor left that did not end by a stop; null where there was none. */
  readonly earlier: readonly NamedWorker[] | null;
  readonly #holder: Content['holder'] | null;
  #workers: readonly NamedWorker[] = [];
  #failing = false;

  /** @param link the path of the socket of the workers */
  constructor(link: string, onFailure: (why: string) => void) {
    this.#path = `${link}.json`;
    this.#onFailure = onFailure;
    const found = read(this.#path);
    this.secret = found?.secret ?? createSecret();
    this.#key = found?.key ?? createSecret();
    this.earlier = found?.workers ?? null;
    this.#holder = found?.holder ?? null;
    this.#workers = found?.workers ?? [];
  }

  /** Whether the supervisor that wrote it was stopped by a signal, and cannot answer until it goes on. */
  get isHolderStopped(): boolean {
    return this.#holder !== null && isStopped(this.#holder.pid, this.#holder.startedAt);
  }

  /** Signs what workers keep for the next supervisor: they may be of another user, and must not have it do as they like. */
  sign(text: string): string {
    return `${this.#macOf(text)} ${text}`;
  }

  /** @returns what a supervisor of this service has signed; null where none has */
  verify(signed: string): string | null {
    const at = signed.indexOf(' ');
    const text = signed.slice(at + 1);
    const [given, own] = [Buffer.from(signed.slice(0, Math.max(0, at))), Buffer.from(this.#macOf(text))];
    return given.length === own.length && timingSafeEqual(given, own) ? text : null;
  }

  #macOf(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }

  get isThere(): boolean {
    return read(this.#path)?.secret === this.secret;
  }

  write(workers: readonly NamedWorker[] = this.#workers): void {
    this.#workers = workers;
    try {
      const { pid } = process;
      const content: Content = {
        secret: this.secret,
        key: this.#key,
        holder: { pid, startedAt: startTimeOf(pid) },
        workers
      };
      replaceOwn(this.#path, JSON.stringify(content));
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#onFailure((error as Error).message);
      this.#failing = true;
    }
  }

  /** Nobody is left to be found. */
  remove(): void {
    removeQuietly(this.#path);
  }
}

function read(path: string): Content | null {
  try {
    const found = JSON.parse(readOwn(path)) as Partial<Content>;
    const isSound = isSecret(found.secret) && isSecret(found.key) && Array.isArray(found.workers);
    return isSound ? { ...(found as Content), workers: (found.workers ?? []).filter(isNamed) } : null;
  } catch {
    return null; // there is none, or it is damaged: whoever knocks is not known then
  }
}

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 32;
}

function isNamed(value: unknown): value is NamedWorker {
  const { id, pid } = (value ?? {}) as Partial<NamedWorker>;
  return typeof id === 'string' && Number.isSafeInteger(pid) && Number(pid) > 0;
}
