import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { WebSocket } from 'ws';

/** Many connections of one protocol, each of which asks again as soon as it has its answer. */
export interface Clients {
  /** Messages, events or requests so far. */
  readonly count: () => number;
  /** Connections that were closed by the other side. */
  readonly closed: () => number;
  /** How long each answer took since this was last called, in milliseconds. */
  readonly took: () => number[];
  /** Whether they ask at the moment. */
  ask(asks: boolean): void;
  end(): Promise<void>;
}

type Open = (port: number, connections: number) => Promise<Clients>;

const CLIENTS_OF = { websocket: openSockets, sse: openStreams, http2: openSessions, tls: openSecured } as const;
export type Protocol = keyof typeof CLIENTS_OF;

export const openClients = (protocol: Protocol): Open => CLIENTS_OF[protocol];

/** Counts, and lets each of the connections ask in turn. */
function counted(send: (index: number) => void, end: () => void) {
  let [count, closed, asks] = [0, 0, false];
  let took: number[] = [];
  const since: number[] = [];
  const waiting = new Set<number>();
  const ask = (index: number) => {
    if (!asks) {
      waiting.add(index);
      return;
    }
    since[index] = performance.now();
    send(index);
  };
  const clients: Clients = {
    count: () => count,
    closed: () => closed,
    took: () => {
      const all = took;
      took = [];
      return all;
    },
    ask(now) {
      asks = now;
      if (!now) return;
      const all = [...waiting];
      waiting.clear();
      for (const index of all) ask(index);
    },
    async end() {
      asks = false;
      end();
    }
  };
  const answered = (index: number) => {
    count += 1;
    took.push(performance.now() - (since[index] ?? 0));
    ask(index);
  };
  const onClosed = () => {
    closed += 1;
  };
  const countOnly = (more: number) => {
    count += more;
  };
  return { clients, ask, answered, onClosed, countOnly };
}

async function openSockets(port: number, connections: number): Promise<Clients> {
  const sockets: WebSocket[] = [];
  const { clients, ask, answered, onClosed } = counted(
    (index) => sockets[index]?.send('a message of some length'),
    () => {
      for (const socket of sockets)
        socket
          .removeAllListeners()
          .on('error', () => {})
          .terminate();
    }
  );
  for (let index = 0; index < connections; index += 1) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.on('message', () => answered(index)).on('close', onClosed);
    ask(index);
  }
  return clients;
}

/** Streams come unasked: they are opened when they are to, and closed again. */
async function openStreams(port: number, connections: number): Promise<Clients> {
  const requests = new Set<http.ClientRequest>();
  const { clients, countOnly } = counted(
    () => {},
    () => ask(false)
  );
  function ask(asks: boolean): void {
    for (const request of requests) request.destroy();
    requests.clear();
    if (!asks) return;
    for (let index = 0; index < connections; index += 1) {
      const headers = { accept: 'text/event-stream' };
      const request = http.get({ port, host: '127.0.0.1', headers, agent: false }, (response) => {
        response
          .on('error', () => {})
          .on('data', (data: Buffer) => {
            let events = 0;
            for (let at = data.indexOf('\n\n'); at >= 0; at = data.indexOf('\n\n', at + 2)) events += 1;
            countOnly(events);
          });
      });
      requests.add(request.on('error', () => {}));
    }
  }
  return { ...clients, ask };
}

async function openSessions(port: number, connections: number): Promise<Clients> {
  const sessions = Array.from({ length: connections }, () => http2.connect(`http://127.0.0.1:${port}`));
  const { clients, ask, answered, onClosed } = counted(
    (index) => {
      const stream = sessions[index]?.request({ ':path': '/' });
      stream
        ?.on('error', () => {})
        .on('end', () => answered(index))
        .resume();
    },
    () => {
      for (const session of sessions) session.destroy();
    }
  );
  sessions.forEach((session, index) => {
    session.on('error', () => {}).on('close', onClosed);
    ask(index);
  });
  return clients;
}

async function openSecured(port: number, connections: number): Promise<Clients> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  const { clients, ask, answered } = counted(
    (index) => {
      https
        .get({ port, host: '127.0.0.1', agent }, (response) => response.resume().on('end', () => answered(index)))
        .on('error', () => {});
    },
    () => agent.destroy()
  );
  for (let index = 0; index < connections; index += 1) ask(index);
  return clients;
}
