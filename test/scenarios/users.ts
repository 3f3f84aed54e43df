import http from 'node:http';

/** What users who share a few connections, as behind a load balancer, have seen. */
export interface Seen {
  readonly failures: string[];
  /** By user: the versions that have answered. */
  readonly versions: Map<number, Set<string>>;
  /** Answers by version. */
  readonly answers: Map<string, number>;
  readonly tookMs: number[];
}

/** Users who ask in turn over a few kept connections; one request in ten is an upload in two parts. */
export class Users {
  readonly #port: number;
  readonly #count: number;
  readonly #agent: http.Agent;
  /** Connections that were ever opened: as many as there are, as long as nobody has to reconnect. */
  opened = 0;
  /** Who told clients to close their connections. */
  readonly closed: string[] = [];
  #next = 0;

  constructor(port: number, count: number, connections: number) {
    this.#port = port;
    this.#count = count;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
    const { createConnection } = this.#agent as unknown as { createConnection(...given: unknown[]): unknown };
    (this.#agent as unknown as { createConnection: unknown }).createConnection = (...given: unknown[]) => {
      this.opened += 1;
      return createConnection.apply(this.#agent, given);
    };
  }

  /** Each asks so often, or until it is told to end. */
  async ask(requests: number, goesOn: () => boolean = () => true): Promise<Seen> {
    const seen: Seen = { failures: [], versions: new Map(), answers: new Map(), tookMs: [] };
    const last = this.#next + requests;
    const ask = async () => {
      while (this.#next < last && goesOn()) await this.#askOnce(this.#next++, seen);
    };
    await Promise.all(Array.from({ length: this.#agent.maxSockets }, ask));
    return seen;
  }

  close(): void {
    this.#agent.destroy();
  }

  #askOnce(turn: number, { failures, versions, answers, tookMs }: Seen): Promise<void> {
    const user = turn % this.#count;
    const upload = turn % 10 === 3 ? 'x'.repeat(3_000) : '';
    const startedAt = performance.now();
    return new Promise((done) => {
      const fail = (why: string) => {
        failures.push(`user ${user}, request ${turn}: ${why}`);
        done();
      };
      const request = http.request(
        {
          ...{ host: '127.0.0.1', port: this.#port, agent: this.#agent, path: `/${turn}` },
          method: upload ? 'POST' : 'GET',
          headers: { cookie: `theme=dark; session=u${user}`, ...(turn % 20 === 3 ? { 'content-length': 3_000 } : {}) }
        },
        (response) => {
          if (response.headers.connection === 'close') this.closed.push(`version ${response.headers['x-version']}`);
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', (error) => fail(error.message));
          response.on('end', () => {
            const { version, url, body } = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
            if (url !== `/${turn}` || body !== upload) return fail(`it got the answer to ${url}`);
            versions.set(user, (versions.get(user) ?? new Set()).add(version ?? ''));
            answers.set(version ?? '', (answers.get(version ?? '') ?? 0) + 1);
            tookMs.push(performance.now() - startedAt);
            done();
          });
        }
      );
      request.on('error', (error) =>
        fail(request.reusedSocket ? error.message : `on a new connection: ${error.message}`)
      );
      if (upload === '') return request.end();
      request.write(upload.slice(0, 1_000));
      // In chunks of which some come late, it would be answered where it is on a busy machine.
      if (turn % 20 === 3) setTimeout(() => request.end(upload.slice(1_000)), 1);
      else request.end(upload.slice(1_000));
    });
  }
}
