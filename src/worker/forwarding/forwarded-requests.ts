import type net from 'node:net';
import { currentResponse, isEventStream } from '../../internals/http.ts';
import type { Handle } from '../../internals/net.ts';
import type { Connection } from '../connections/connection.ts';
import { endEventStream } from '../connections/event-stream.ts';
import { speaksHttp1 } from '../connections/http1.ts';
import type { Registry } from '../connections/registry.ts';
import { type Client, ForwardLink, type Frame } from './forward-link.ts';
import { ForwardedSocket } from './forwarded-socket.ts';

/** A connection that another process has, as it is seen here. */
interface Known {
  readonly client: Client;
  /** What the app sees of it; null while it has seen nothing, or nothing any more. */
  seen: { readonly socket: ForwardedSocket; readonly connection: Connection } | null;
}

interface Link {
  readonly link: ForwardLink;
  /** By number. */
  readonly known: Map<number, Known>;
  isGreeted: boolean;
  /** Whether whoever has the clients is to end. */
  isLeaving: boolean;
  /** How many requests are being answered. */
  answering: number;
}

/** Gives requests that other workers forward to the app's servers, and sends them the answers. */
export class ForwardedRequests {
  readonly #registry: Registry;
  readonly #serverOf: (key: string) => net.Server | undefined;
  readonly #links = new Set<Link>();
  #onLeft = () => {};

  /** @param serverOf the app's server that answers on a listener */
  constructor(registry: Registry, serverOf: (key: string) => net.Server | undefined) {
    this.#registry = registry;
    this.#serverOf = serverOf;
  }

  /** How many workers may send more. */
  get size(): number {
    return this.#links.size;
  }

  /** @param secret that whoever has the other end says first */
  take(handle: Handle, secret: string): void {
    const one: Link = {
      link: new ForwardLink(handle, {
        onFrame: (frame, stream, payload) => this.#onFrame(one, secret, frame, stream, payload),
        onEnd: () => this.#onEnd(one)
      }),
      known: new Map(),
      isGreeted: false,
      isLeaving: false,
      answering: 0
    };
    this.#links.add(one);
  }

  /** This worker is to end: nobody is to send more, once what was sent is answered. @param onLeft called when nobody may */
  leave(onLeft: () => void): void {
    this.#onLeft = onLeft;
    for (const { link } of this.#links) link.send('leaving', 0);
  }

  #onFrame(one: Link, secret: string, frame: Frame, stream: number, payload: Buffer): void {
    if (!one.isGreeted) {
      one.isGreeted = frame === 'hello' && payload.toString('latin1') === secret;
      if (one.isGreeted) return;
      one.link.close();
      return this.#onEnd(one);
    }
    const known = one.known.get(stream);
    if (frame === 'leaving') {
      one.isLeaving = true;
      this.#endStreams(one);
    } else if (frame === 'asks') {
      if (this.#find(payload.toString())) one.link.send('serves', 0, payload);
    } else if (frame === 'open') one.known.set(stream, { client: JSON.parse(payload.toString()), seen: null });
    else if (frame === 'request') this.#onRequest(one, stream, payload);
    else if (frame === 'taken') known?.seen?.socket.onTaken(payload.readUInt32BE(0));
    else if (frame === 'gone') {
      one.known.delete(stream);
      known?.seen?.socket.destroy();
    }
  }

  #onRequest(one: Link, stream: number, bytes: Buffer): void {
    const known = one.known.get(stream);
    const server = known && this.#find(known.client.key);
    if (!server) return one.link.send('refused', stream);
    if (known.seen?.socket.writableEnded) known.seen = null; // its app has ended it, and it is about to go
    const isNew = known.seen === null;
    known.seen ??= this.#show(one, stream, known, server);
    const { socket, connection } = known.seen;
    this.#registry.connections.add(connection);
    one.answering += 1;
    if (one.answering === 1) one.link.keepAlive(true);
    // What the app throws is its own, and not that of whoever reads the link.
    process.nextTick(() => {
      if (isNew) server.emit('connection', socket);
      socket.receive(bytes);
    });
  }

  #find(key: string): net.Server | undefined {
    const server = this.#serverOf(key);
    return server && speaksHttp1(server) ? server : undefined;
  }

  /** Whoever has the clients is to end: what has no end of its own is not waited for. */
  #endStreams({ known }: Link): void {
    for (const { seen } of known.values()) {
      const response = seen && currentResponse(seen.socket);
      if (response && isEventStream(response)) endEventStream(response);
    }
  }

  /** Makes what the app sees of a connection. */
  #show(one: Link, stream: number, known: Known, server: net.Server): NonNullable<Known['seen']> {
    const { link } = one;
    const socket = new ForwardedSocket(known.client, {
      write: (bytes) => {
        link.send('answer', stream, bytes);
        if (one.isLeaving) setImmediate(() => this.#endStreams(one));
      },
      onClosed: () => {
        if (known.seen?.socket === socket) known.seen = null;
        // While nothing is asked, it is no news: it is shown anew with the next request.
        if (this.#end(one, connection, true)) link.send('gone', stream);
      }
    });
    const connection = this.#registry.addForwarded(server, socket, known.client.key, () => {
      // Not at once: only then it is known whether Node ends it.
      process.nextTick(() => {
        if (!this.#end(one, connection, false)) return;
        const isLast = socket.writableEnded || socket.destroyed;
        socket.onAnswered();
        link.send('answered', stream, isLast ? LAST : undefined);
      });
    });
    return { socket, connection };
  }

  /** @returns whether a request of it was being answered */
  #end(one: Link, connection: Connection, isCut: boolean): boolean {
    if (!this.#registry.endForwarded(connection, isCut)) return false;
    one.answering -= 1;
    if (one.answering === 0) one.link.keepAlive(false);
    return true;
  }

  #onEnd(one: Link): void {
    this.#links.delete(one);
    for (const { seen } of one.known.values()) {
      if (!seen) continue;
      seen.connection.private = true; // that its client is gone is not for this version to answer for
      seen.socket.destroy();
    }
    if (this.#links.size === 0) this.#onLeft();
  }
}

const LAST = Buffer.from([1]);
