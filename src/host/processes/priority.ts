import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * How far a process steps back: its session, which on many machines gets as much of the processor as any other session
 * however many threads it has, its main thread, the threads in which V8 compiles and collects, and all others. Nice values.
 */
interface Manners {
  readonly session: number;
  readonly main: number;
  readonly compiling: number;
  readonly others: number;
}

const EQUAL: Manners = { session: 0, main: 0, compiling: 0, others: 0 };
/** It boots, or ends: nobody waits for it. */
const ASIDE: Manners = { session: 10, main: 5, compiling: 10, others: 10 };
/** It serves some connections, whose requests are to wait hardly longer than others, and compiles what it runs. */
const STARTING: Manners = { session: 3, main: 0, compiling: 15, others: 0 };
/** It serves all, and still compiles a great deal. */
const SETTLING: Manners = { session: 0, main: 0, compiling: 15, others: 0 };

/** Node starts these first, before anything of the app's: one for delayed tasks, and V8's (`--v8-pool-size`). */
const COMPILING = 1 + 4;

/** For so long after the ramp it compiles aside. */
const SETTLING_MS = 8_000;

/** A boot that takes longer than this, or than a quarter of the time that it has, is not delayed any more. */
const ASIDE_MS = 3_000;

/** Who may not everything may change the priority of one session of the machine in so long. @source kernel/sched/autogroup.c */
const SESSION_AGAIN_MS = 110;

/** Number of the capability to raise a priority. @source linux/capability.h */
const CAP_SYS_NICE = 23n;
/** What a limit of RLIMIT_NICE is subtracted from. @source getrlimit(2) */
const NICE_LIMIT = 20;

/**
 * Keeps a worker from taking the processor from those that serve.
 *
 * Linux only; elsewhere, and wherever the system refuses, nothing changes. Threads are lowered only where this process may
 * raise them again; a session may always come back to where it began.
 */
export class Priority {
  readonly #pid: number | null;
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #session: number | null;
  #isAside: boolean;
  #isBeside: boolean;
  #isOver = false;

  /**
   * @param pid null: it could not be started
   * @param isAdopted whether the supervisor before started it, which may have lowered it
   */
  constructor(pid: number | null, isAdopted = false) {
    this.#pid = pid;
    [this.#isAside, this.#isBeside] = [isAdopted, isAdopted];
    this.#session = isAdopted ? null : EQUAL.session;
  }

  /** It boots beside one that serves. @param timeMs how long it may take to be ready */
  boot(timeMs: number): void {
    this.#isBeside = true;
    this.#set(ASIDE, Math.min(ASIDE_MS, timeMs / 4));
  }

  /** It is as important as any other. */
  restore(): void {
    if (this.#isAside) this.#set(EQUAL);
  }

  /** It is warmed up: where it booted beside one that serves, nobody waits for that either. */
  warmUp(): void {
    if (this.#isBeside) this.#set(ASIDE, ASIDE_MS);
  }

  /** It serves for the first time, and is given connections one by one, if it booted beside one that has some. */
  start(rampMs: number): void {
    if (rampMs === 0 || !this.#isBeside) return;
    this.#set(STARTING);
    this.#timer = setTimeout(() => this.#set(SETTLING, SETTLING_MS), rampMs).unref();
  }

  /** It serves no more, and ends. */
  end(): void {
    this.#set(ASIDE);
    this.#isOver = true;
  }

  /** It is gone, and its pid may be another's. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
  }

  /** @param forMs after so long it is equal again; left out: not by itself */
  #set(manners: Manners, forMs?: number): void {
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    if (forMs !== undefined) this.#timer = setTimeout(() => this.#apply(EQUAL), forMs).unref();
    this.#apply(manners);
  }

  #apply({ session, main, compiling, others }: Manners): void {
    const pid = this.#pid;
    if (pid === null) return; // to the system, 0 would be this process
    this.#isAside = main + session + compiling > 0;
    this.#setSession(pid, session);
    if (!mayRaise()) return;
    const own = getPriority();
    // Each thread has a priority of its own, and inherits that of the thread which starts it.
    attempt(() => setPriority(pid, own + main));
    attempt(() => {
      for (const [index, thread] of threadsOf(pid).entries())
        attempt(() => setPriority(thread, own + (index < COMPILING ? compiling : others)));
    });
  }

  #setSession(pid: number, session: number): void {
    clearTimeout(this.#again);
    if (session === this.#session) return;
    try {
      writeFileSync(`/proc/${pid}/autogroup`, String(session));
      this.#session = session;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return; // it is gone, or there are no sessions
      const inMs = SESSION_AGAIN_MS * (1 + Math.random()); // another worker's turn may be now, too
      this.#again = setTimeout(() => this.#setSession(pid, session), inMs).unref();
    }
  }
}

/** All threads but the main one, in the order in which they were started: numbers begin anew after the last. */
function threadsOf(pid: number): number[] {
  const all = readdirSync(`/proc/${pid}/task`).map(Number);
  const [before, after] = [all.filter((one) => one < pid), all.filter((one) => one > pid)];
  return [...after.sort((a, b) => a - b), ...before.sort((a, b) => a - b)];
}

/** Whether any worker serves: then the others step back for it. */
export function isServed(workers: Iterable<{ readonly serving: boolean }>): boolean {
  return [...workers].some(({ serving }) => serving);
}

let raises: boolean | null = null;

/** Whether this process may raise the priority of its children after it has lowered it. */
function mayRaise(): boolean {
  raises ??= readMayRaise();
  return raises;
}

function readMayRaise(): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (effective && (BigInt(`0x${effective}`) >> CAP_SYS_NICE) % 2n === 1n) return true;
    const limit = /^Max nice priority\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === 'unlimited' || (limit !== undefined && NICE_LIMIT - Number(limit) <= getPriority());
  } catch {
    return false; // not Linux
  }
}

function attempt(deed: () => void): void {
  try {
    deed();
  } catch {
    // The process is gone, or the system does not allow it.
  }
}
