import { Connection } from './connection.ts';
import type { BodyCheck } from './content.ts';
import { Exchange } from './exchange.ts';
import type { Ledger } from './ledger.ts';
import type { ClientKind, Settings, Target } from './model.ts';
import type { Random } from './random.ts';

/** What one kind of client does: one turn, then a rest, over and over. */
export type Kind = {
  /** Sends one request, or one packet of them; true when all were answered. */
  turn(client: Client): Promise<boolean>;
  restMs(client: Client): number;
};

/** What all clients of one load have in common. */
export type ClientContext = {
  readonly target: Target;
  readonly settings: Settings;
  readonly ledger: Ledger;
  /** Every socket that is still there, for the sweep and for the end. */
  readonly connections: Set<Connection>;
  readonly onGone: (connection: Connection) => void;
  readonly onAnswered: (client: Client) => void;
};

/** One loop, with at most one connection that it keeps. */
export class Client {
  readonly name: string;
  readonly kind: ClientKind;
  readonly random: Random;
  readonly settings: Settings;
  /** Counts turns from 0, for what is done every other time. */
  turns = 0;
  readonly #context: ClientContext;
  readonly #host: string;
  #kept: Connection | null = null;
  #requests = 0;
  #stopping = false;
  #wake: () => void = () => {};

  constructor(kind: ClientKind, index: number, random: Random, context: ClientContext) {
    this.kind = kind;
    this.name = `${kind}${index}`;
    this.random = random;
    this.settings = context.settings;
    this.#context = context;
    this.#host = 'host' in context.target ? `${context.target.host}:${context.target.port}` : 'localhost';
  }

  /** Takes turns until it is told to stop, ends its connection, and never rejects but for a bug. */
  async run({ turn, restMs }: Kind): Promise<void> {
    for (; !this.#stopping; this.turns++) {
      const answered = await turn(this);
      if (answered) this.#context.onAnswered(this);
      const rest = restMs(this);
      await this.#rest(answered ? rest : Math.max(rest, this.settings.afterFailureMs));
    }
    this.#kept?.end();
  }

  /** Lets the turn under way end, and cuts the rest after it short. */
  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  /** The connection it keeps, or a new one if that has ended. */
  keptConnection(throttle?: { bytes: number; pauseMs: number }): Connection {
    if (this.#kept?.usable) return this.#kept;
    const { ledger } = this.#context;
    this.#kept = this.#connect({
      onEnded: (cause) => ledger.reconnect(this.kind, cause),
      ...(throttle && { throttle })
    });
    return this.#kept;
  }

  /** A connection for one request. */
  freshConnection(): Connection {
    return this.#connect({});
  }

  /** Counts one more request and assigns it to a connection. */
  request(connection: Connection, method: string, url: string, check: (id: string) => BodyCheck): Exchange {
    const id = `${this.name}-${++this.#requests}`;
    const exchange = new Exchange({ id, client: this.name, kind: this.kind, method, url, body: check(id) });
    this.#context.ledger.send(exchange);
    connection.begin(exchange);
    return exchange;
  }

  /** The bytes of a request's head. */
  head({ method, url, id }: Exchange, more = ''): string {
    return `${method} ${url} HTTP/1.1\r\nhost: ${this.#host}\r\nx-id: ${id}\r\n${more}\r\n`;
  }

  #connect(options: Pick<ConstructorParameters<typeof Connection>[0], 'onEnded' | 'throttle'>): Connection {
    const { target, ledger, connections, onGone } = this.#context;
    const connection = new Connection({ target, recorder: ledger, onGone, ...options });
    connections.add(connection);
    ledger.perClient[this.kind].connections++;
    return connection;
  }

  #rest(ms: number): Promise<void> | undefined {
    if (ms <= 0 || this.#stopping) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
