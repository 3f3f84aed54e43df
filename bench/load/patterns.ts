import { LoadConnection } from './connection.ts';
import type { Pool } from './pool.ts';

/** How many connections are opened or touched at a time: no more than fit a small accept queue. */
const TOGETHER = 32;
/** Above this rate a timer of 1 ms would send in bursts, so the loop never sleeps. */
const BUSY_RATE = 1_000;

/** Milliseconds on a clock that all processes of a machine share. */
export const clock = () => Number(process.hrtime.bigint()) / 1e6;

/** Numbers of one load. */
export interface LoadResult {
  readonly tookMs: number;
  readonly answered: number;
  readonly lost: number;
  readonly reconnects: number;
}

/** When each request ended, on the shared clock, and how long it took from the moment it was meant to be sent. */
export interface PacedResult extends LoadResult {
  readonly endedAt: Float64Array;
  readonly ms: Float64Array;
  /** 1 where another version answered than the one before on that connection; known only of requests of users. */
  readonly moved: Uint8Array;
  /** 1 where it was the second version that answered; known only then, too. */
  readonly second: Uint8Array;
}

/** Each connection asks again as soon as it has its answer. */
export function flood(pool: Pool, ms: number): Promise<LoadResult> {
  const until = clock() + ms;
  return measure(pool, (done) => {
    pool.onFree = (connection) => {
      if (clock() < until) return connection.ask(0);
      pool.keep(connection);
      if (pool.isQuiet) done();
    };
    for (const connection of pool.free.splice(0)) connection.ask(0);
  });
}

/** One request on each connection, a few at a time: none is closed for having been idle. */
export function touch(pool: Pool): Promise<LoadResult> {
  const waiting = pool.free.splice(0);
  let left = waiting.length;
  return measure(pool, (done) => {
    pool.onEnded = () => {
      left -= 1;
      waiting.pop()?.ask(0);
      if (left === 0) setImmediate(done); // the last one is not back among the free yet
    };
    for (const connection of waiting.splice(0, TOGETHER)) connection.ask(0);
  });
}

/** Each request opens a connection of its own, so many at once. */
export async function fresh(port: number, ms: number, together: number): Promise<LoadResult> {
  const startedAt = clock();
  const count = { answered: 0, lost: 0 };
  const askOnce = () =>
    new Promise<void>((resolve) => {
      const connection = new LoadConnection(port, {
        onEnded: (_, answered) => {
          count[answered ? 'answered' : 'lost'] += 1;
        },
        onGone: () => resolve()
      });
      connection.ask(0, false);
    });
  const oneAfterAnother = async () => {
    while (clock() < startedAt + ms) await askOnce();
  };
  await Promise.all(Array.from({ length: together }, oneAfterAnother));
  return { tookMs: clock() - startedAt, ...count, reconnects: 0 };
}

/**
 * Sends at a fixed rate, each request on a free connection picked at random, whatever the answers do.
 *
 * A request that finds no connection free waits for one, and the wait counts: a server that stands still for a moment
 * is charged with every request that was due in that moment.
 *
 * @unit rate: requests per second
 */
export async function pace(pool: Pool, rate: number, ms: number): Promise<PacedResult> {
  const size = Math.ceil((rate * ms) / 1000);
  const endedAt = new Float64Array(size);
  const took = new Float64Array(size);
  const moved = new Uint8Array(size);
  const second = new Uint8Array(size);
  const due: number[] = [];
  const startedAt = clock();
  let count = 0;
  let sent = 0;
  const numbers = await measure(pool, (done) => {
    pool.onEnded = (connection, answered) => {
      if (!answered) return;
      endedAt[count] = clock();
      took[count] = (endedAt[count] ?? 0) - connection.intendedAt;
      moved[count] = Number(connection.hasMoved);
      second[count] = Number(connection.version === '2');
      count += 1;
    };
    pool.onFree = (connection) => {
      const waiting = due.shift();
      if (waiting !== undefined) return connection.ask(waiting);
      pool.keep(connection);
      if (sent === size && pool.isQuiet) done();
    };
    const send = () => {
      const owed = Math.min(size, Math.floor(((clock() - startedAt) * rate) / 1000));
      for (; sent < owed; sent += 1) {
        const intendedAt = startedAt + ((sent + 1) * 1000) / rate;
        const connection = pool.pick();
        if (connection) connection.ask(intendedAt);
        else due.push(intendedAt);
      }
      if (sent < size) {
        if (rate > BUSY_RATE) setImmediate(send);
        else setTimeout(send, 1);
      } else if (pool.isQuiet) done();
    };
    send();
  });
  return {
    ...{ ...numbers, endedAt: endedAt.slice(0, count), ms: took.slice(0, count) },
    ...{ moved: moved.slice(0, count), second: second.slice(0, count) }
  };
}

async function measure(pool: Pool, run: (done: () => void) => void): Promise<LoadResult> {
  const startedAt = clock();
  pool.reset();
  await new Promise<void>((resolve) => run(resolve));
  const { answered, lost, reconnects } = pool;
  pool.reset();
  return { tookMs: clock() - startedAt, answered, lost, reconnects };
}
