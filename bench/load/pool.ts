import { askAsUser, type Beside, LoadConnection, type LoadConnectionEvents } from './connection.ts';

/** How soon a connection that ended is opened again. */
const REOPEN_MS = 5;

/** Kept-alive connections to one server; what they are used for is said by whoever sets the two callbacks. */
export class Pool {
  readonly port: number;
  readonly size: number;
  readonly free: LoadConnection[] = [];
  answered = 0;
  lost = 0;
  /** Connections that had to be opened again. */
  reconnects = 0;
  /** Called at the end of each request. */
  onEnded: (connection: LoadConnection, answered: boolean) => void = ignore;
  /** Called with a connection that can be asked again. */
  onFree: (connection: LoadConnection) => void = this.keep.bind(this);
  readonly #all = new Set<LoadConnection>();
  readonly #nextRequest: (() => string) | null;
  readonly #beside: Beside | null;
  #closing = false;

  /**
   * @param users how many share the connections, each request being that of one of them; 0: requests are nobody's
   * @param beside another server that gets a share of the requests, if there is one
   */
  constructor(port: number, size: number, users = 0, beside: Beside | null = null) {
    this.port = port;
    this.#beside = beside;
    this.size = size;
    this.#nextRequest = users > 0 ? () => askAsUser(users) : null;
    for (let count = 0; count < size; count += 1) this.#open();
  }

  /** Whether no request is outstanding and every connection is there. */
  get isQuiet(): boolean {
    return this.free.length === this.size;
  }

  keep(connection: LoadConnection): void {
    this.free.push(connection);
  }

  /** Takes a free connection at random. */
  pick(): LoadConnection | undefined {
    const at = Math.floor(Math.random() * this.free.length);
    const picked = this.free[at];
    const last = this.free.pop();
    if (last && last !== picked) this.free[at] = last;
    return picked;
  }

  /** Starts the counts again and forgets what the connections were used for. */
  reset(): void {
    this.answered = 0;
    this.lost = 0;
    this.reconnects = 0;
    this.onEnded = ignore;
    this.onFree = this.keep.bind(this);
  }

  close(): void {
    this.#closing = true;
    for (const connection of this.#all) connection.end();
  }

  #open(): void {
    const events: LoadConnectionEvents = {
      onEnded: (_, answered) => {
        if (answered) this.answered += 1;
        else this.lost += 1;
        this.onEnded(connection, answered);
        if (connection.usable) this.onFree(connection);
      },
      onGone: () => this.#replace(connection)
    };
    const connection = new LoadConnection(this.port, events, this.#nextRequest, this.#beside);
    this.#all.add(connection);
    this.onFree(connection);
  }

  #replace(connection: LoadConnection): void {
    this.#all.delete(connection);
    const at = this.free.indexOf(connection);
    if (at >= 0) this.free.splice(at, 1);
    if (this.#closing) return;
    this.reconnects += 1;
    setTimeout(() => {
      if (!this.#closing) this.#open();
    }, REOPEN_MS);
  }
}

function ignore(): void {}
