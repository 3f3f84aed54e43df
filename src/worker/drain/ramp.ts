import { Busy } from '../busy.ts';

/** How often it is decided how many more may go. */
const TICK_MS = 30;
/** So many go at once, before anything is known of their receiver. */
const FIRST = 2;
/** Of all connections, so many more at each time at the most: what they ask for shows only later. */
const STEPS = 16;
/** As busy as this a receiver may become, 0-1: one that is cold takes several times as long, and whoever asks it waits. */
const TARGET = 0.25;
/** A receiver that is busier than that gets one more after so long: it is heard of only with each that it gets. */
const TRY_MS = 120;
/** What goes in any case, by the share of the time that has passed: an eighth of all in the first half. */
const POWER = 3;
/** A worker that is as busy as this has no time to spare. */
const FULL = 0.9;

/**
 * Lets connections go as fast as their receiver serves them without falling behind, and no faster.
 *
 * A new process is slow at first: what it runs is not compiled yet. Each ack of a receiver says how busy it is. From that,
 * and from how many it has got, follows how many it could have; at most twice as many as it has, and some more at a time. If
 * it is busy whatever it gets, all have gone at the end of the time, most of them in its second half.
 */
export class Ramp {
  readonly #onTick: () => void;
  readonly #busy = new Busy();
  #timer: NodeJS.Timeout | null = null;
  #since = 0;
  #limitMs = 0;
  #all = 0;
  #sent = 0;
  #sentAt = 0;
  #allowed = Number.POSITIVE_INFINITY;
  #most = 0;
  /** So many may have gone in any case. */
  #floor = 0;
  /** How busy the receiver is, 0-1. */
  #level = TARGET;

  /** @param onTick called when more may go, or all */
  constructor(onTick: () => void) {
    this.#onTick = onTick;
  }

  /**
   * @param count how many connections there are
   * @param limitMs how long it may take; 0 = all may go at once
   */
  begin(count: number, limitMs: number): void {
    this.end();
    if (limitMs === 0 || count <= FIRST) return;
    this.#since = performance.now();
    this.#limitMs = limitMs;
    this.#all = count;
    this.#sent = 0;
    this.#sentAt = this.#since;
    this.#allowed = FIRST;
    this.#most = FIRST;
    this.#floor = 0;
    this.#level = TARGET;
    this.#busy.take();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Lets all go. */
  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#allowed = Number.POSITIVE_INFINITY;
  }

  /** Whether all may go. */
  get isOver(): boolean {
    return this.#timer === null;
  }

  /** Whether one more may go. */
  get isOpen(): boolean {
    return this.#sent < this.#allowed;
  }

  onSent(): void {
    this.#sent += 1;
    this.#sentAt = performance.now();
  }

  /** A receiver has got one. @param busy how busy it is, 0-1; 0: unknown */
  onMoved(busy: number): void {
    if (this.isOver || busy === 0) return; // 0: it was idle for too long to tell
    // Less time is believed at once, more time by half: one quiet moment says little, and nobody comes back.
    this.#level = Math.max(busy, (this.#level + busy) / 2);
    this.#allow(this.#fitting);
  }

  /** How many the receiver can have. */
  get #fitting(): number {
    return this.#sent * Math.min(2, TARGET / this.#level);
  }

  #tick(): void {
    const now = performance.now();
    const share = (now - this.#since) / this.#limitMs;
    if (share >= 1) this.end();
    else {
      this.#most = this.#sent + Math.max(1, this.#all / STEPS);
      const hasTime = this.#level < TARGET || now - this.#sentAt >= TRY_MS;
      const next = this.#busy.take() <= FULL && hasTime ? this.#sent + 1 : 0;
      this.#floor = this.#all * share ** POWER;
      this.#allow(Math.max(this.#fitting, next));
    }
    this.#onTick();
  }

  #allow(count: number): void {
    this.#allowed = Math.floor(Math.max(this.#floor, Math.min(count, this.#most)));
  }
}
