import type { Writable } from 'node:stream';

// An output that nobody reads: a pipe whose reader has stopped, a container runtime that is stuck. Whoever writes is held as long as it
// is read; where nothing of it is read any more, the service goes on, and lines are missing there instead.

/** How long workers wait for an output of which nothing is read. */
const HOLD_MS = 500;
/** What is kept for a reader that may come back. */
const ROOM_BYTES = 4 * 1024 * 1024;

const NEWLINE = 10;

interface Unread {
  /** What has not been read, at the least since it is stuck: less means that it is read again. */
  least: number;
  lost: number;
}

/** The outputs of which nothing is read. */
const unread = new WeakMap<Writable, Unread>();

/** Those who wait for an output to take more: one listener for all, however many workers are blocked. */
const waiting = new WeakMap<Writable, Set<() => void>>();

/**
 * Writes whole lines.
 *
 * @returns false when the output wants a break, which {@link onRoom} tells the end of
 */
export function put(to: Writable, lines: Buffer): boolean {
  const stuck = unread.get(to);
  if (!stuck) return to.write(lines);
  if (to.writableLength < stuck.least) return goOn(to, stuck, lines);
  if (to.writableLength > ROOM_BYTES) stuck.lost += count(lines);
  else {
    to.write(lines);
    stuck.least = to.writableLength;
  }
  return true;
}

/** Calls back once an output takes more, is broken, or nothing of it is read any more. */
export function onRoom(to: Writable, go: () => void): void {
  const known = waiting.get(to);
  const all = known ?? new Set();
  all.add(go);
  if (known) return;
  waiting.set(to, all);
  let before = to.writableLength;
  const look = setInterval(() => {
    const isRead = to.writableLength < before;
    before = to.writableLength;
    if (isRead) return;
    unread.set(to, { least: to.writableLength, lost: 0 });
    end();
  }, HOLD_MS).unref();
  const end = () => {
    clearInterval(look);
    to.off('drain', end).off('error', end);
    waiting.delete(to);
    for (const one of all) one();
  };
  // A broken pipe never drains: its output is lost then, and a worker that had to wait would fill its own memory.
  to.once('drain', end).once('error', end);
}

/** It is read again. What is missing is said where it is missing. */
function goOn(to: Writable, { lost }: Unread, lines: Buffer): boolean {
  unread.delete(to);
  if (lost > 0) to.write(`handover: ${lost} lines are missing here, for nobody read this output\n`);
  return to.write(lines);
}

function count(lines: Buffer): number {
  let found = 0;
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) found += 1;
  return found;
}
