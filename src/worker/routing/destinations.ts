import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import {
  type Asked,
  chooseGeneration,
  choosePinned,
  chooseUnread,
  isUnder,
  type Routing
} from '../../core/routing/choose.ts';
import { endsOf } from '../../internals/ends.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import { addressesOf, type Connection } from '../connections/connection.ts';
import { Affinity } from './affinity.ts';

/** Where a request belongs: the number of a generation, or the id of a worker; null is here. */
export type Destination = string | Promise<string | null> | null;

/** Finds where requests belong: with the version that their client names, the process that knows it, or by its share. */
export class Destinations {
  /** Which clients are known here; null where that does not matter. */
  readonly affinity: Affinity | null;
  readonly #worker: string;
  readonly #generation: number;
  readonly #channel: Channel;
  readonly #count: (why: string) => void;
  #routing: Routing | null = null;

  /** @param count called with why a request is answered here that belongs elsewhere */
  constructor({ worker, generation, affinity }: WorkerSettings, channel: Channel, count: (why: string) => void) {
    this.#worker = worker;
    this.#generation = generation;
    this.#channel = channel;
    this.#count = count;
    this.affinity = affinity && new Affinity(affinity, worker, channel);
  }

  /** Whether requests may belong elsewhere. */
  get areMany(): boolean {
    return this.#routing !== null || this.affinity !== null;
  }

  onRouting(routing: string): void {
    this.#routing = routing === '' ? null : (JSON.parse(routing) as Routing);
  }

  find(connection: Connection, request: IncomingMessage): Destination {
    const routing = this.#routing;
    const asked = routing && askedOf(connection, request);
    const pinned = asked && choosePinned(routing, asked);
    if (pinned !== null) return this.#toGeneration(pinned);
    const value = this.affinity?.find(request);
    const owner = value === undefined ? undefined : this.affinity?.ownerOf(value);
    if (owner !== undefined) return owner === this.#worker ? null : this.#whereOpen(owner);
    const byShare = asked && routing.shares ? this.#toGeneration(chooseGeneration(routing.shares, asked)) : null;
    if (value === undefined || !this.affinity || !this.#channel.isOpen) return byShare;
    return this.affinity.ask(value, byShare === null).then((known) => {
      if (known === '') return byShare;
      return known === this.#worker ? null : known;
    });
  }

  /** The generation that is asked for what this one does not have; null where none is. */
  findOther(request: IncomingMessage): string | null {
    const other = this.#routing?.oldAssets;
    return other && isUnder(other.paths, request.method, request.url) ? String(other.generation) : null;
  }

  /** Of a connection that shows nothing of its requests, its address and chance decide. */
  findUnread(socket: net.Socket, lot: number): string | null {
    const shares = this.#routing?.shares;
    if (!shares || !this.#channel.isOpen) return null;
    return this.#toGeneration(chooseUnread(shares, endsOf(socket).remoteAddress, lot));
  }

  #toGeneration(generation: number): string | null {
    return generation === this.#generation ? null : this.#whereOpen(String(generation));
  }

  #whereOpen(to: string): string | null {
    if (this.#channel.isOpen) return to;
    this.#count('no supervisor');
    return null;
  }
}

/**
 * What is read of a request. A class: objects that are each written with a getter of their own are each of a shape of their own, which
 * made every request a tenth slower, and kept what it was about in memory.
 */
class AskedOf implements Asked {
  readonly headers: Asked['headers'];
  readonly url: string;
  readonly lot: number;
  readonly chance: number;
  readonly #connection: Connection;

  constructor(connection: Connection, { headers, url = '' }: IncomingMessage) {
    this.headers = headers;
    this.url = url;
    this.lot = connection.lot;
    this.chance = Math.random();
    this.#connection = connection;
  }

  get address(): string | undefined {
    return addressesOf(this.#connection).remoteAddress;
  }
}

function askedOf(connection: Connection, request: IncomingMessage): Asked {
  if (connection.lot < 0) connection.lot = Math.random();
  return new AskedOf(connection, request);
}
