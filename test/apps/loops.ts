import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/wait.ts';
import type { Clients, Counts } from './model.ts';

/** A question that is not answered within this has failed. */
const TURN_MS = 15_000;
/** How long an answer of the version before is no surprise: a connection may be about to move. */
const GRACE_MS = 2_500;
const EXAMPLES_MAX = 8;

/** One client that the strict client cannot be: of another protocol, or with a cookie. */
export interface Client {
  /** Asks once; which version answered. Rejects when nothing did, or something wrong. */
  ask(): Promise<string>;
  end(): void | Promise<void>;
}

export interface LoopOptions {
  readonly clients: number;
  readonly pauseMs?: number;
  readonly graceMs?: number;
  /** Whether its connection stays with the version it was opened to, as long as that is there. */
  readonly stays?: boolean;
}

/** Clients that ask, rest, and ask again. Each is told what to call when it had to begin anew. */
export function loops(
  name: string,
  { clients: count, pauseMs = 50, graceMs = GRACE_MS, stays = false }: LoopOptions,
  open: (reconnected: (why: string) => void) => Promise<Client> | Client
): Clients {
  const perVersion: Record<string, number> = {};
  const examples: string[] = [];
  const answeredOnce = new Set<number>();
  let [requests, answers, failed, reconnects] = [0, 0, 0, 0];
  let expected: { readonly version: string; readonly at: number } | null = null;
  let stopping = false;

  const tell = (text: string) => {
    if (examples.length < EXAMPLES_MAX) examples.push(`${name}: ${text}`);
  };
  const reconnected = (why: string) => {
    if (stopping) return;
    reconnects++;
    tell(`began anew: ${why}`);
  };
  const fail = (why: string) => {
    failed++;
    tell(why);
  };
  const turn = async (index: number, client: Client) => {
    const sentAt = performance.now();
    requests++;
    try {
      const version = await inTime(client.ask());
      const wanted = expected;
      if (!stays && wanted && version !== wanted.version && sentAt > wanted.at + graceMs) {
        return fail(`version ${version} instead of ${wanted.version}`);
      }
      answers++;
      perVersion[version] = (perVersion[version] ?? 0) + 1;
      answeredOnce.add(index);
    } catch (error) {
      fail(String(error));
    }
  };
  const run = async (index: number) => {
    const client = await open(reconnected);
    while (!stopping) {
      await turn(index, client);
      await delay(pauseMs);
    }
    await client.end();
  };
  const ended = Promise.all(Array.from({ length: count }, (_, index) => run(index)));
  ended.catch(() => {}); // told by warm() and by stop()

  return {
    async warm() {
      await Promise.race([ended, until(() => answeredOnce.size === count, `an answer for each client: ${name}`)]);
    },
    expect(version) {
      expected = version === null ? null : { version, at: performance.now() };
    },
    answered: (version) => (stays ? answers : (perVersion[version] ?? 0)),
    async stop(): Promise<Counts> {
      stopping = true;
      await ended;
      return { requests, failed, reconnects, examples };
    }
  };
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(TURN_MS, undefined, { signal: timer.signal }).then(
    () => Promise.reject(new Error(`no answer within ${TURN_MS} ms`)),
    () => new Promise<never>(() => {}) // it was answered
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}
