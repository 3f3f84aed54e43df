import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type Asked = { readonly id: string; readonly version: string };
/** What the server does about one request. */
export type Act = (asked: Asked, socket: Socket) => void;

const body = ({ id }: Asked) => `answer to ${id}\n`;

function response(asked: Asked, { status = '200 OK', more = '', id = asked.id, text = body(asked) } = {}): string {
  const head = [`HTTP/1.1 ${status}`, `x-id: ${id}`, `x-version: ${asked.version}`, `content-length: ${text.length}`];
  return `${head.join('\r\n')}\r\n${more}\r\n${text}`;
}

/** One good way to answer, and every failure there is a kind for. */
export const acts = {
  well: (asked, socket) => socket.write(response(asked)),
  wellChunked: ({ id, version }, socket) => {
    const head = `HTTP/1.1 200 OK\r\nx-id: ${id}\r\nx-version: ${version}\r\ntransfer-encoding: chunked\r\n\r\n`;
    const text = body({ id, version });
    socket.write(
      `${head}3\r\n${text.slice(0, 3)}\r\n${(text.length - 3).toString(16)}\r\n${text.slice(3)}\r\n0\r\n\r\n`
    );
  },
  wellThenClose: (asked, socket) => socket.end(response(asked, { more: 'connection: close\r\n' })),
  wellThenFin: (asked, socket) => socket.end(response(asked)),
  reset: (_asked, socket) => socket.resetAndDestroy(),
  fin: (_asked, socket) => socket.end(),
  halfHeadThenFin: (asked, socket) => socket.end(response(asked).slice(0, 20)),
  halfBodyThenFin: (asked, socket) => socket.end(response(asked).slice(0, -3)),
  halfBodyThenReset: (asked, socket) => {
    socket.write(response(asked).slice(0, -3));
    socket.resetAndDestroy();
  },
  headOnlyThenFin: (asked, socket) => socket.end(response(asked).slice(0, -body(asked).length)),
  unavailable: (asked, socket) => socket.write(response(asked, { status: '503 Service Unavailable' })),
  requestTimeout: (_asked, socket) => socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'),
  notFound: (asked, socket) => socket.write(response(asked, { status: '404 Not Found' })),
  garbage: (_asked, socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
  wrongBody: (asked, socket) => socket.write(response(asked, { text: 'answer to nobody\n' })),
  wrongId: (asked, socket) => socket.write(response(asked, { id: 'nobody-1' })),
  silence: () => {},
  twice: (asked, socket) => socket.write(response(asked) + response(asked)),
  twiceInTwoPackets: (asked, socket) => {
    socket.write(response(asked));
    setImmediate(() => socket.write(response(asked)));
  },
  surplusByte: (asked, socket) => socket.write(`${response(asked)}?`),
  onceMoreAfterClosing: (asked, socket) => {
    const last = response(asked, { more: 'connection: close\r\n' });
    socket.end(last + response(asked));
  },
  timeoutWhileIdle: (asked, socket) => {
    socket.end(`${response(asked)}HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n`);
  }
} satisfies Record<string, Act>;

/** An act that waits: `held` resolves when a request has come to it, `release` answers that well. */
export function createHold() {
  let release = () => {};
  let arrived = () => {};
  const held = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const act: Act = (asked, socket) => {
    release = () => acts.well(asked, socket);
    arrived();
  };
  return { act, held, release: () => release() };
}

/**
 * Starts a server that does what `script` says, one act for each request in the
 * order they arrive on whatever connection, and answers well after that.
 */
export async function startMisbehaving(script: Act[] = []) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let text = '';
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // the client may leave whenever it likes
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const id = /x-id: (\S+)/.exec(text.slice(0, end + 2))?.[1] ?? '';
        text = text.slice(end + 4);
        const act = script.shift() ?? acts.well;
        act({ id, version: misbehaving.version }, socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const misbehaving = {
    script,
    version: '1',
    target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    resetAll: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    }
  };
  return misbehaving;
}
