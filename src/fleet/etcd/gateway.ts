import { Agent, request } from 'undici';
import { denied, isAboutToken, Refusal, toError, Unanswered, unreachable } from './etcd-failures.ts';
import { readAnswer, readMessages } from './read-answer.ts';

/** How long one endpoint has for one request, and for the first line of a watch. */
const ANSWER_MS = 4_000;
const CONNECT_MS = 2_000;
/** How long a connection that nobody uses is kept: longer than it is between two signs of life of a lease. */
const KEEP_MS = 30_000;

/** Where the etcd is, and who asks. */
export interface EtcdOptions {
  /** Such as `http://10.0.0.5:2379`; the first is asked first. */
  readonly endpoints: readonly string[];
  readonly user: string | null;
  readonly password: string | null;
  /** PEM: whose certificates are believed, and what this side shows of itself. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** What an etcd was asked, and what it told by itself. */
export interface Counts {
  requests: number;
  watches: number;
  /** What came through watches. */
  messages: number;
  bytes: number;
}

/** Requests to one of several endpoints, with a token where a user is named. */
export class Gateway {
  readonly counts: Counts = { requests: 0, watches: 0, messages: 0, bytes: 0 };
  readonly #options: EtcdOptions;
  readonly #agent: Agent;
  /** Which endpoint is asked first: the one that answered last. */
  #at = 0;
  #token: string | null = null;
  #asking: Promise<void> | null = null;
  readonly #streams = new Map<AbortController, string>();
  readonly #closing = new AbortController();

  constructor(options: EtcdOptions) {
    this.#options = options;
    const { ca, cert, key } = options;
    const tls = {
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key })
    };
    this.#agent = new Agent({
      connect: { ...tls, timeout: CONNECT_MS },
      keepAliveTimeout: KEEP_MS,
      headersTimeout: 0,
      bodyTimeout: 0
    });
  }

  get endpoints(): readonly string[] {
    return this.#options.endpoints;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Asks, at another endpoint where one does not answer.
   *
   * @param once says that it must not be done twice: it is asked again only where it cannot have arrived
   * @throws HANDOVER_ERR_FLEET_UNREACHABLE, _DENIED, _LEASE, _ETCD
   */
  async ask(path: string, body: object, { once = false } = {}): Promise<unknown> {
    await this.#begin();
    try {
      return await this.#askAny(path, body, once);
    } catch (error) {
      if (!isAboutToken(error) || this.#options.user === null) throw toError(this.endpoints, error);
    }
    await this.renew();
    return this.#askAny(path, body, once).catch((error) => Promise.reject(toError(this.endpoints, error)));
  }

  /**
   * Asks for a stream of messages. It breaks when its endpoint is found not to answer others.
   *
   * @throws {@link Unanswered}, a {@link Refusal}, or the signal's reason
   */
  async *stream(path: string, body: object, signal: AbortSignal): AsyncGenerator<unknown, void> {
    await this.#begin();
    const endpoint = this.#endpoint();
    const over = new AbortController();
    const end = () => over.abort(signal.aborted ? signal.reason : new Unanswered(endpoint, 'it was given up'));
    const late = setTimeout(() => {
      over.abort(new Unanswered(endpoint, `nothing within ${ANSWER_MS} ms`));
    }, ANSWER_MS);
    this.#streams.set(over, endpoint);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      this.counts.watches += 1;
      const answer = await this.#send(endpoint, path, body, over.signal);
      for await (const message of readMessages(endpoint, answer, this.counts)) {
        clearTimeout(late);
        yield message;
      }
    } catch (error) {
      const why = signal.aborted ? signal.reason : over.signal.aborted ? over.signal.reason : explain(endpoint, error);
      if (why instanceof Unanswered) this.#leave(endpoint);
      throw why;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', end);
      this.#streams.delete(over);
      over.abort();
    }
  }

  /** Asks for a new token; those who ask at the same time wait for the same one. */
  async renew(): Promise<void> {
    this.#asking ??= this.#authenticate().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const stream of this.#streams.keys()) stream.abort(new Unanswered(this.#endpoint(), 'it was closed'));
    await this.#agent.destroy();
  }

  async #authenticate(): Promise<void> {
    const { user: name, password } = this.#options;
    this.#token = null;
    try {
      const { token } = (await this.#askAny('/v3/auth/authenticate', { name, password: password ?? '' }, false)) as {
        token: string;
      };
      this.#token = token;
    } catch (error) {
      // An etcd that asks nobody for a password lets everybody in; whoever turns it on later finds us with one.
      if (error instanceof Refusal && /authentication is not enabled/.test(error.message)) return;
      throw error instanceof Refusal ? denied(this.endpoints, error.message) : toError(this.endpoints, error);
    }
  }

  async #askAny(path: string, body: object, once: boolean): Promise<unknown> {
    const failures: Unanswered[] = [];
    // A kept connection may have broken unnoticed, so even the only endpoint is asked twice; not where it lets us wait.
    const tries = Math.max(2, this.endpoints.length);
    while (failures.length < tries) {
      const endpoint = this.#endpoint();
      try {
        return await this.#askOne(endpoint, path, body);
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        failures.push(error);
        this.#leave(endpoint);
        const mayRepeat = !this.closed && (!once || !error.mayHaveArrived);
        if (!mayRepeat || (error.late && this.endpoints.length === 1)) break;
      }
    }
    throw unreachable(this.endpoints, failures);
  }

  async #askOne(endpoint: string, path: string, body: object): Promise<unknown> {
    const over = new AbortController();
    const late = setTimeout(() => over.abort(), ANSWER_MS);
    const close = () => over.abort();
    this.#closing.signal.addEventListener('abort', close);
    try {
      this.counts.requests += 1;
      return await readAnswer(endpoint, await this.#send(endpoint, path, body, over.signal));
    } catch (error) {
      if (over.signal.aborted && !this.closed)
        throw new Unanswered(endpoint, `no answer within ${ANSWER_MS} ms`, { late: true });
      throw explain(endpoint, error);
    } finally {
      clearTimeout(late);
      this.#closing.signal.removeEventListener('abort', close);
    }
  }

  async #send(endpoint: string, path: string, body: object, signal: AbortSignal) {
    const headers = {
      'content-type': 'application/json',
      // A member that has lost the others says so, instead of telling nothing for ever.
      'grpc-metadata-hasleader': 'true',
      ...(this.#token === null ? {} : { authorization: this.#token })
    };
    const options = { method: 'POST' as const, headers, body: JSON.stringify(body), dispatcher: this.#agent, signal };
    try {
      return await request(endpoint.replace(/\/+$/, '') + path, options);
    } catch (error) {
      throw signal.aborted ? signal.reason : Unanswered.from(endpoint, error);
    }
  }

  #endpoint(): string {
    return this.endpoints[this.#at % this.endpoints.length] ?? '';
  }

  /** Goes to the next endpoint, unless another request has done so already, and ends what still listens to this one. */
  #leave(endpoint: string): void {
    if (this.#endpoint() === endpoint) this.#at += 1;
    for (const [stream, from] of this.#streams) {
      if (from === endpoint) stream.abort(new Unanswered(endpoint, 'it does not answer others either'));
    }
  }

  async #begin(): Promise<void> {
    if (this.#options.user !== null && this.#token === null) await this.renew();
  }
}

function explain(endpoint: string, error: unknown): unknown {
  return error instanceof Unanswered || error instanceof Refusal ? error : Unanswered.from(endpoint, error);
}
