import type net from 'node:net';
import tls from 'node:tls';
import { hasOwnTicketKeys, shareSessionContext } from '../internals/tls.ts';

/** Any text will do, as long as every process has the same. */
const CONTEXT = 'handover';

/**
 * Lets a client resume its TLS session with any worker of any generation: every server encrypts its tickets with the same keys.
 *
 * A server that the app has given keys, or a session id context, keeps its own.
 */
export class TlsSessions {
  readonly #servers = new Set<tls.Server>();
  /** Those to which the app itself gives keys. */
  readonly #own = new WeakSet<tls.Server>();
  #keys: Buffer | null = null;
  #isSharing = false;

  /** Notices where an app sets keys, or a new certificate, which makes everything of a server anew. */
  begin(): void {
    const { setTicketKeys, setSecureContext } = tls.Server.prototype;
    const sessions = this;
    tls.Server.prototype.setTicketKeys = function (this: tls.Server, keys: Buffer) {
      if (!sessions.#isSharing) sessions.#own.add(this);
      setTicketKeys.call(this, keys);
    };
    tls.Server.prototype.setSecureContext = function (this: tls.Server, options: tls.SecureContextOptions) {
      setSecureContext.call(this, options);
      if (sessions.#servers.has(this)) sessions.#share(this);
    };
  }

  watch(server: net.Server): void {
    if (!(server instanceof tls.Server) || this.#servers.has(server)) return;
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    this.#share(server);
  }

  /** The supervisor's keys. Tickets of earlier ones mean a full handshake. */
  onKeys(keys: string): void {
    this.#keys = Buffer.from(keys, 'base64');
    for (const server of this.#servers) this.#share(server);
  }

  #share(server: tls.Server): void {
    if (this.#keys === null) return;
    shareSessionContext(server, CONTEXT);
    if (this.#own.has(server) || hasOwnTicketKeys(server)) return;
    this.#isSharing = true;
    server.setTicketKeys(this.#keys);
    this.#isSharing = false;
  }
}
