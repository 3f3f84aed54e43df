import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import { Agent, fetch as privateFetch, request } from 'undici';
import type { Handle } from '../../internals/net.ts';
import {
  type CandidateWorker,
  type Check,
  type CheckFunction,
  type CheckResponse,
  judgeCheck,
  nameCheck,
  type WarmUp
} from '../../options/checks.ts';
import { connectedPair } from './connected-pair.ts';

/** How much of an answer is read at the most. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** How long a TLS handshake may take: one that never ends would keep the connection from all further requests. */
const HANDSHAKE_MS = 5_000;

/** A worker that is asked privately, before it accepts a public connection. */
export interface PrivateTarget {
  readonly generation: number;
  readonly worker: string;
  /** Whether its server speaks TLS. */
  readonly secure: boolean;
  /** When its process was started, by `performance.now()`. */
  readonly startedAt: number;
  /** Ends with it: when its process has exited, or was told to end. */
  readonly ended: AbortSignal;
  /** How it keeps out of the way of those that serve. */
  readonly priority: { warmUp(): void; restore(): void };
  /** Gives it one end of a connection. */
  give(handle: Handle): void;
}

/** What the active generation was asked for lately, such as `GET /path`, and how slow its slowest hundredth was. */
export interface Live {
  readonly requests: readonly string[];
  readonly p99Ms: number | null;
}

/** So many requests in a row tell a p99. */
const SAMPLE = 100;
/** Asked from another process, nothing is faster. */
const LEAST_MS = 2;

export interface CheckFailure {
  readonly what: string;
  readonly expected: string;
  readonly came: string;
  /** Whether nothing came in time. */
  readonly late: boolean;
}

/** Private conversations with one worker: real connections to the app's own server, which nobody else can open. */
export class PrivateClient {
  readonly #target: PrivateTarget;
  readonly #agent: Agent;

  constructor(asked: PrivateTarget, connections: number) {
    this.#target = asked;
    this.#agent = new Agent({
      connections,
      connect: (_options, done) => {
        this.#connect().then(
          (socket) => done(null, socket),
          (error: Error) => done(error, null)
        );
      }
    });
  }

  /** @throws whatever the conversation fails with, or the signal's reason */
  async ask(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string | null; signal?: AbortSignal } = {}
  ): Promise<CheckResponse> {
    const { statusCode, headers, body } = await request(this.#url(path), {
      ...init,
      dispatcher: this.#agent
    } as object);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > BODY_LIMIT_BYTES) break;
    }
    return { status: statusCode, headers: flatten(headers), body: text };
  }

  /**
   * Asks a check once.
   *
   * @returns null when it holds, or when the signal ended it; else what was expected and what came
   */
  async try(check: Check | CheckFunction, timeoutMs: number, signal: AbortSignal): Promise<CheckFailure | null> {
    const what = nameCheck(check);
    const over = endAfter(timeoutMs, signal);
    try {
      if (typeof check === 'function') await this.#call(check, over.signal);
      else {
        const { path, method, headers, body } = check;
        const wrong = judgeCheck(check, await this.ask(path, { method, headers, body, signal: over.signal }));
        if (wrong) return { what, ...wrong, late: over.isLate() };
      }
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      const [expected, none] = typeof check === 'function' ? ['that it settles', 'no end'] : ['an answer', 'none'];
      const exception = typeof check === 'function' ? 'an exception: ' : '';
      const late = over.isLate();
      return { what, expected, came: late ? `${none} within ${timeoutMs} ms` : exception + reasonOf(error), late };
    } finally {
      over.release();
    }
  }

  /** Sends private requests until there were enough, or the time is over. */
  warmUp(warmUp: WarmUp, signal: AbortSignal): Promise<void> {
    const { paths, requests } = warmUp;
    const asked = paths.map((path) => `GET ${path}`);
    return this.#repeat(asked, warmUp, signal, (_took, sent) => sent >= requests);
  }

  /** Sends requests again that the active generation was asked for, until this one is about as fast, or the time is over. */
  async warmUpLive({ requests, p99Ms }: Live, warmUp: WarmUp, signal: AbortSignal): Promise<void> {
    const enoughMs = p99Ms === null ? 0 : Math.max(LEAST_MS, 2 * p99Ms);
    const isFast = (took: readonly number[]) =>
      took.length >= SAMPLE && took.slice(-SAMPLE).every((ms) => ms <= enoughMs);
    if (requests.length > 0) await this.#repeat(requests, warmUp, signal, isFast);
  }

  /** Sends requests, such as `GET /path`, in turn. @param isEnough is told how long each took, and how many were sent */
  async #repeat(
    requests: readonly string[],
    { concurrency, forMs }: WarmUp,
    signal: AbortSignal,
    isEnough: (took: readonly number[], sent: number) => boolean
  ): Promise<void> {
    const { signal: over, release } = endAfter(forMs, signal);
    const took: number[] = [];
    let sent = 0;
    const one = async () => {
      while (!over.aborted && !isEnough(took, sent)) {
        const request = requests[sent % requests.length] ?? '';
        const space = request.indexOf(' ');
        sent += 1;
        const startedAt = performance.now();
        const init = { method: request.slice(0, space), signal: over };
        // What it comes to does not matter here; a check is there to mind.
        const answered = await this.ask(request.slice(space + 1), init).catch(() => null);
        if (answered) took.push(performance.now() - startedAt);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, one)).finally(release);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #call(check: CheckFunction, signal: AbortSignal): Promise<void> {
    const { generation, worker } = this.#target;
    const fetch = ((path: string, init?: RequestInit) =>
      privateFetch(this.#url(path), {
        ...(init as object),
        dispatcher: this.#agent
      })) as unknown as CandidateWorker['fetch'];
    const over = new Promise<never>((_done, fail) => {
      signal.addEventListener('abort', () => fail(signal.reason));
    });
    await Promise.race([check({ generation, worker, fetch, signal }), over]);
  }

  #url(path: string): URL {
    return new URL(path, `${this.#target.secure ? 'https' : 'http'}://localhost`);
  }

  async #connect(): Promise<net.Socket> {
    const { socket, handle } = await connectedPair();
    this.#target.give(handle);
    if (!this.#target.secure) return socket;
    // The certificate is for the public name; who is asked here is known already.
    const secured = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    try {
      await once(secured, 'secureConnect', { signal: AbortSignal.timeout(HANDSHAKE_MS) });
    } catch (error) {
      secured.destroy();
      throw (error as Error).name === 'AbortError' ? new Error(`no TLS handshake within ${HANDSHAKE_MS} ms`) : error;
    }
    return secured;
  }
}

/**
 * A signal that is aborted after a time, or with another one.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: nobody holds on to the latter, and once it is collected as garbage it never
 * comes (Node 20.20, 24.21).
 */
function endAfter(timeoutMs: number, signal: AbortSignal) {
  const over = new AbortController();
  const end = () => over.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const release = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  };
  return { signal: over.signal, isLate: () => late, release };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
