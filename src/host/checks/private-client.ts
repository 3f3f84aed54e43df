import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { Agent, fetch as privateFetch, request } from 'undici';
import { type Handle, takeHandle } from '../../internals/net.ts';
import {
  type CandidateWorker,
  CHECK_FUNCTION_MS,
  type Check,
  type CheckFunction,
  type CheckResponse,
  judgeCheck,
  nameCheck,
  type WarmUp
} from '../../options/checks.ts';

/** How much of an answer is read at the most. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** A worker that is asked privately, before it accepts a public connection. */
export interface PrivateTarget {
  readonly generation: number;
  readonly worker: string;
  /** Whether its server speaks TLS. */
  readonly secure: boolean;
  /** Gives it one end of a connection. */
  give(handle: Handle): void;
}

export type CheckFailure = { readonly what: string; readonly expected: string; readonly came: string };

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
   * Makes a check until it holds or its attempts are over.
   *
   * @returns null when it holds, else what was expected and what came
   */
  async check(check: Check | CheckFunction, signal: AbortSignal): Promise<CheckFailure | null> {
    if (typeof check === 'function') return this.#call(check);
    const what = nameCheck(check);
    let failing: CheckFailure | null = null;
    for (let attempt = 1; attempt <= check.attempts && !signal.aborted; attempt += 1) {
      if (attempt > 1) await new Promise((wake) => setTimeout(wake, check.intervalMs));
      const { method, headers, body, timeoutMs } = check;
      const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        const wrong = judgeCheck(check, await this.ask(check.path, { method, headers, body, signal: over }));
        if (!wrong) return null;
        failing = { what, ...wrong };
      } catch (error) {
        const late = (error as Error).name === 'TimeoutError';
        failing = { what, expected: 'an answer', came: late ? `none within ${timeoutMs} ms` : reasonOf(error) };
      }
    }
    return failing ?? { what, expected: 'an answer', came: 'none: the candidate was given up meanwhile' };
  }

  /** Sends private requests until there were enough, or the time is over. */
  async warmUp({ paths, requests, concurrency, forMs }: WarmUp, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, AbortSignal.timeout(forMs)]);
    let next = 0;
    const one = async () => {
      while (next < requests && !over.aborted) {
        const path = paths[next % paths.length] ?? '/';
        next += 1;
        // What it comes to does not matter here; a check is there to mind.
        await this.ask(path, { signal: over }).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: concurrency }, one));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #call(check: CheckFunction): Promise<CheckFailure | null> {
    const { generation, worker } = this.#target;
    const fetch = ((path: string, init?: RequestInit) =>
      privateFetch(this.#url(path), {
        ...(init as object),
        dispatcher: this.#agent
      })) as unknown as CandidateWorker['fetch'];
    const late = AbortSignal.timeout(CHECK_FUNCTION_MS);
    const overdue = new Promise<never>((_done, fail) => {
      late.addEventListener('abort', () => fail(new Error(`it did not settle within ${CHECK_FUNCTION_MS} ms`)));
    });
    try {
      await Promise.race([check({ generation, worker, fetch }), overdue]);
      return null;
    } catch (error) {
      return { what: nameCheck(check), expected: 'that it settles', came: `an exception: ${reasonOf(error)}` };
    }
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
    await once(secured, 'secureConnect');
    return secured;
  }
}

/** Two ends of one TCP connection within this machine: to the app an ordinary one, and open to nobody else. */
async function connectedPair(): Promise<{ socket: net.Socket; handle: Handle }> {
  const server = net.createServer({ pauseOnConnect: true });
  const accepted: net.Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  try {
    await once(socket, 'connect');
    // Anybody on this machine could have connected in this moment: only the one whose other end is ours counts.
    const isOurs = (other: net.Socket) => other.remotePort === socket.localPort;
    while (!accepted.some(isOurs)) await once(server, 'connection');
    const ours = accepted.find(isOurs) as net.Socket;
    for (const other of accepted) if (other !== ours) other.destroy();
    return { socket, handle: takeHandle(ours) };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    server.close();
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
