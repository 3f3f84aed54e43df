import { setTimeout as wait } from 'node:timers/promises';
import type { News, Notice } from '../../core/state/state.ts';
import type { Listeners } from '../listeners/listeners.ts';
import type { Listening } from './listening.ts';
import { Paths } from './paths.ts';
import { Reach } from './reach.ts';
import type { WorkerRecord } from './worker-record.ts';

export interface VerificationPorts {
  readonly listeners: Listeners;
  readonly listening: Listening;
  /** Every worker there is. */
  records(): readonly WorkerRecord[];
  lend(record: WorkerRecord, key: string): void;
  post(news: News): void;
  announce(notice: Notice): void;
  now(): number;
}

/** How long an app that listens nowhere is given to begin. */
const LISTEN_MS = 3_000;
const LOOK_MS = 20;
const NOWHERE = 'none of its servers listens any more';

/** Makes sure, after a cutover, that whoever connects is answered. */
export class Verification {
  readonly reach: Reach;
  readonly paths: Paths;
  readonly #ports: VerificationPorts;
  readonly #listenMs: number;

  /** @param listenMs how long an app that listens nowhere is given to begin */
  constructor(ports: VerificationPorts, listenMs = LISTEN_MS) {
    const { listeners, listening, records, lend, announce } = ports;
    this.#ports = ports;
    this.#listenMs = listenMs;
    this.reach = new Reach(records);
    this.paths = new Paths({
      listeners,
      lend,
      serving: (key) => records().filter((record) => record.serving && listening.toLend(record).has(key)),
      onRestored: (address) =>
        announce({ level: 'warn', event: 'path-restored', address, reason: 'its file was gone, and is there again' })
    });
  }

  /**
   * Closes what the active generation does not serve, puts back the sockets whose files are gone, and asks each address
   * whether a worker answers there. `reached` or `unreached` comes of it.
   */
  async verify(about: number): Promise<void> {
    const { listening, post, now } = this.#ports;
    if (listening.hasToListen(about)) await this.#waitForServer();
    const closed = listening.closeUnserved();
    const served = listening.served();
    const nowhere = served.length === 0 && listening.hasToListen(about) ? NOWHERE : null;
    const why = nowhere ?? (await this.paths.restore()) ?? (await this.reach.explainUnreached(served));
    post(why === null ? { type: 'reached', about, closed, at: now() } : { type: 'unreached', about, why, at: now() });
  }

  /**
   * An app that asks whether its port is free may be between the server that it tried and the one that it makes: what that gets
   * must not be closed meanwhile.
   */
  async #waitForServer(): Promise<void> {
    const since = performance.now();
    while (this.#ports.listening.served().length === 0 && performance.now() - since < this.#listenMs)
      await wait(LOOK_MS);
  }
}
