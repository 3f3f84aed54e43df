import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { inTime } from '../support/wait.ts';
import { type LoopOptions, loops } from './loops.ts';
import type { Clients, Place } from './model.ts';

// Clients of other protocols than HTTP. Their packages are those that were installed with the app.

function load<T>({ folder }: Place, name: string): T {
  return createRequire(join(folder, 'package.json'))(name) as T;
}

interface Socket extends NodeJS.EventEmitter {
  send(text: string): void;
  close(): void;
}

/** WebSockets that stay open. What was sent in the moment of a close is sent again. */
export function webSockets(place: Place, clients: number): Clients {
  return loops('a WebSocket', { clients, stays: true }, async (reconnected) => {
    const { WebSocket } = load<{ WebSocket: new (url: string) => Socket }>(place, 'ws');
    let waiting: { readonly id: string; readonly done: (version: string) => void } | null = null;
    let ending = false;
    let sent = 0;
    const connect = async (): Promise<Socket> => {
      const opened = new WebSocket(`ws://127.0.0.1:${place.port}`);
      opened.on('message', (data: Buffer) => {
        const { id, version } = JSON.parse(String(data)) as { id: string; version: string };
        if (id === waiting?.id) waiting.done(version);
      });
      opened.on('error', () => {}); // `close` follows
      opened.once('close', async (code: number) => {
        if (ending) return;
        reconnected(`closed with ${code}`);
        socket = await connect();
        if (waiting) socket.send(waiting.id);
      });
      await inTime(once(opened, 'open'), 'a WebSocket to open');
      return opened;
    };
    let socket = await connect();
    return {
      ask() {
        const id = String(++sent);
        return new Promise<string>((done) => {
          waiting = { id, done };
          socket.send(id);
        });
      },
      end() {
        ending = true;
        socket.close();
      }
    };
  });
}

interface IoSocket extends NodeJS.EventEmitter {
  readonly io: NodeJS.EventEmitter;
  disconnect(): void;
}
type Connect = (url: string, options: Readonly<Record<string, unknown>>) => IoSocket;

/** Clients of Socket.IO as its documentation has them for delivery at least once. */
export function ioClients(place: Place, transport: 'websocket' | 'polling', options: LoopOptions): Clients {
  return loops(`Socket.IO over ${transport}`, { ...options, stays: true }, async (reconnected) => {
    const { io } = load<{ io: Connect }>(place, 'socket.io-client');
    const delivery = { retries: 5, ackTimeout: 3_000, reconnectionDelay: 50, reconnectionDelayMax: 200 };
    const socket = io(`http://127.0.0.1:${place.port}`, { transports: [transport], forceNew: true, ...delivery });
    let why = '';
    socket.on('disconnect', (reason: string) => {
      why = reason;
    });
    socket.io.on('reconnect', () => reconnected(why));
    await inTime(once(socket, 'connect'), `Socket.IO to connect over ${transport}`);
    return {
      ask: () =>
        new Promise<string>((done, fail) => {
          socket.emit('ask', (error: Error | null, version: string) => (error ? fail(error) : done(version)));
        }),
      end: () => socket.disconnect()
    };
  });
}

/** One message over a fresh TCP connection each, in the framing of Nest's microservices. */
export function nestMessages({ secondPort: port }: Place): Clients {
  let sent = 0;
  return loops('a message to the microservice', { clients: 3 }, () => ({
    async ask() {
      const id = String(++sent);
      const text = JSON.stringify({ pattern: 'version', data: '', id });
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.write(`${text.length}#${text}`);
      let received = '';
      for await (const chunk of socket) {
        received += chunk;
        const [length = '', body = ''] = received.split(/#(.*)/s);
        if (body.length < Number(length) || body === '') continue;
        return (JSON.parse(body) as { response: string }).response;
      }
      throw new Error(`the connection ended after ${JSON.stringify(received)}`);
    },
    end: () => {}
  }));
}
