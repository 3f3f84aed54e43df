import type { Handle } from '../../internals/net.ts';
import type { Channel } from '../channel.ts';

/**
 * Connections by which the supervisor finds out whether somebody accepts: the app does not see them.
 *
 * Each is announced by the port that it will come from, and told from the app's clients by that.
 */
export class Expected {
  readonly #ports = new Set<number>();
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  expect(port: number, over: boolean): void {
    if (over) this.#ports.delete(port);
    else this.#ports.add(port);
    if (!over) this.#channel.send({ type: 'expecting', port });
  }

  /** @returns whether it was such a connection, which has been dealt with */
  take(connection: Handle | undefined): boolean {
    if (this.#ports.size === 0 || !connection?.getpeername) return false;
    const peer = { port: 0 };
    if (connection.getpeername(peer) !== 0 || !this.#ports.delete(peer.port)) return false;
    connection.close();
    this.#channel.send({ type: 'expected', port: peer.port });
    return true;
  }
}
