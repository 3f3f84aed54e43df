import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, lchownSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { acceptPipes, type MessagePipe, type PipeEvents } from '../internals/pipes.ts';
import type { Hello, ToSupervisor, ToWorker } from '../protocol/messages.ts';
import { parse, seal } from '../protocol/parse.ts';
import { inodeOf, LONGEST_PATH_BYTES, ownGid, ownUid, removeQuietly } from './unix.ts';

/** How long whoever knocks may take to say who it is. */
const HELLO_MS = 5_000;

/** A worker that has said who it is. */
export interface Knock {
  readonly hello: Hello;
  /** Says whether it is welcome, and what becomes of its link. */
  welcome(): void;
  open(events: PipeEvents): MessagePipe;
  send(message: ToWorker): void;
  refuse(why: string): void;
}

/** The socket on which the workers of a service find whoever supervises it: beside its control socket. */
export function linkPath(socket: string): string {
  const path = `${socket.replace(/\.sock$/, '')}.link`;
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return path;
  return join(dirname(socket), `${createHash('sha256').update(socket).digest('hex').slice(0, 8)}.link`);
}

export function createSecret(): string {
  return randomBytes(32).toString('hex');
}

/** Hears workers knock, and lets nobody in who does not know the secret of the service. */
export class Links {
  /** Who this supervisor is to its workers. */
  readonly id = randomUUID();
  readonly path: string;
  readonly secret: string;
  readonly #onKnock: (knock: Knock) => void;
  readonly #onStranger: (why: string) => void;
  /** Other users whose workers come here. */
  readonly #admitted = new Set<number>();
  #server: { close(): void } | null = null;
  #ino = 0;

  constructor(path: string, secret: string, onKnock: (knock: Knock) => void, onStranger: (why: string) => void) {
    this.path = path;
    this.secret = secret;
    this.#onKnock = onKnock;
    this.#onStranger = onStranger;
  }

  /** Whether the socket is where it should be, and ours. */
  get isThere(): boolean {
    return inodeOf(this.path) === this.#ino;
  }

  /** Lets workers of another user in. */
  admit(uid: number): void {
    if (uid === ownUid() || this.#admitted.has(uid)) return;
    this.#admitted.add(uid);
    if (this.isThere) this.#giveAccess(this.path);
  }

  /** Gives the socket to the one other user, else lets everybody knock: what counts is the secret. */
  #giveAccess(path: string): void {
    const [uid, ...others] = this.#admitted;
    if (uid === undefined) return;
    if (others.length > 0) chmodSync(path, 0o666);
    else lchownSync(path, uid, ownGid());
  }

  /** Listens, in the place of whoever did before. */
  open(): void {
    this.openAside();
    this.takePlace();
  }

  /** Listens on a path of its own, beside whoever has the place. @returns that path */
  openAside(): string {
    this.#server?.close();
    const aside = `${this.path}.${process.pid}`;
    removeQuietly(aside);
    // Nobody else may connect, from the first moment on.
    const mask = process.umask(0o177);
    const server = acceptPipes(aside, (open) => this.#onPipe(open));
    process.umask(mask);
    this.#server = typeof server === 'number' ? null : server;
    this.#ino = inodeOf(aside) ?? 0;
    if (this.#ino !== 0) this.#giveAccess(aside);
    return aside;
  }

  /** Takes the place, in one step. */
  takePlace(): void {
    try {
      renameSync(`${this.path}.${process.pid}`, this.path);
    } catch {
      // Its folder cannot be made or written: it is looked at again soon, and the control socket says why.
    }
  }

  /** Removes the socket if it is still ours: a successor may have its own there. */
  close(): void {
    const isOurs = this.isThere;
    this.#server?.close();
    this.#server = null;
    if (isOurs) removeQuietly(this.path);
  }

  #onPipe(open: (events: PipeEvents) => MessagePipe): void {
    let events: PipeEvents | null = null;
    const end = () => {
      clearTimeout(overdue);
      pipe.close();
    };
    const pipe = open({
      onMessage: (raw, handle) => {
        if (events) return events.onMessage(raw, handle);
        handle?.close();
        clearTimeout(overdue);
        const parsed = parse<ToSupervisor>(raw);
        const hello = 'message' in parsed && parsed.message.type === 'hello' ? parsed.message : null;
        if (hello && hello.secret === this.secret) return this.#onKnock(knockOf(hello));
        const why = 'garbage' in parsed ? parsed.garbage : hello ? 'it does not know the secret' : 'it said no hello';
        pipe.send(seal({ type: 'unwelcome', why }));
        end();
        this.#onStranger(why);
      },
      onEnd: () => {
        clearTimeout(overdue);
        events?.onEnd();
      }
    });
    const overdue = setTimeout(end, HELLO_MS).unref();
    const knockOf = (hello: Hello): Knock => ({
      hello,
      send: (message) => pipe.send(seal(message)),
      welcome: () => pipe.send(seal({ type: 'welcome', supervisor: this.id })),
      open: (given) => {
        events = given;
        return pipe;
      },
      refuse: (why) => {
        pipe.send(seal({ type: 'unwelcome', why }));
        end();
      }
    });
  }
}
