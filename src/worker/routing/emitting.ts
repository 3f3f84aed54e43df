import type net from 'node:net';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Whether the app is not to hear of what its server tells. */
export type Takes = (server: net.Server, event: string | symbol, args: readonly unknown[]) => boolean;

/** Stands before what the servers of an app tell it, as long as it is needed. */
export class Emitting {
  readonly #takes: Takes;
  /** How it ends, by server; null where nobody stands before it. */
  readonly #servers = new Map<net.Server, (() => void) | null>();
  #isOn = false;

  constructor(takes: Takes) {
    this.#takes = takes;
  }

  watch(server: net.Server): void {
    if (this.#servers.has(server)) return;
    this.#servers.set(server, this.#isOn ? standBefore(server, this.#takes) : null);
    server.once('close', () => this.#servers.delete(server));
  }

  begin(): void {
    this.#isOn = true;
    for (const [server, end] of this.#servers) if (!end) this.#servers.set(server, standBefore(server, this.#takes));
  }

  /** Lets the servers tell their app as they would. */
  end(): void {
    this.#isOn = false;
    for (const [server, end] of this.#servers) {
      end?.();
      this.#servers.set(server, null);
    }
  }
}

/** @returns a function that ends it */
function standBefore(server: net.Server, takes: Takes): () => void {
  const own = Object.getOwnPropertyDescriptor(server, 'emit');
  const emit = server.emit as Emit;
  const ours: Emit = function (this: net.Server, event, ...args) {
    return takes(server, event, args) || emit.call(this, event, ...args);
  };
  server.emit = ours as typeof server.emit;
  return () => {
    if ((server.emit as Emit) !== ours) return; // somebody stands before us: it passes on what it gets
    if (own) Object.defineProperty(server, 'emit', own);
    else Reflect.deleteProperty(server, 'emit');
  };
}
