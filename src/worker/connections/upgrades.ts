import type { IncomingMessage } from 'node:http';
import type net from 'node:net';

type OnUpgrade = (request: IncomingMessage, socket: net.Socket, head: Buffer) => void;

/**
 * Hears which connections of a server an app is asked to upgrade, before the app does.
 *
 * Only where the app listens: to a server that nobody listens to, such requests are ordinary ones.
 */
export function hearUpgrades(server: net.Server, onUpgrade: OnUpgrade): void {
  for (const event of ['upgrade', 'connect'] as const) {
    const ours: OnUpgrade = (request, socket, head) => {
      if (typeof socket?.write === 'function' && Buffer.isBuffer(head)) onUpgrade(request, socket, head);
    };
    const hear = () => {
      if (!server.listeners(event).includes(ours)) server.prependListener(event, ours);
    };
    server.on('newListener', (name, added) => {
      if (name === event && added !== ours) hear();
    });
    server.on('removeListener', (name, removed) => {
      if (name === event && removed !== ours && server.listenerCount(event) === 1) server.removeListener(event, ours);
    });
    if (server.listenerCount(event) > 0) hear();
  }
}
