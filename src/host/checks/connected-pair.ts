import { once } from 'node:events';
import net from 'node:net';
import { type Handle, takeHandle } from '../../internals/net.ts';

/** Two ends of one TCP connection within this machine: to the app an ordinary one, and open to nobody else. */
export async function connectedPair(): Promise<{ socket: net.Socket; handle: Handle }> {
  const server = net.createServer({ pauseOnConnect: true });
  const accepted: net.Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  try {
    await once(socket, 'connect');
    // Anybody on this machine could have connected in this moment: only the one whose other end is ours counts.
    const isOurs = (other: net.Socket) => other.remotePort === socket.localPort;
    while (!accepted.some(isOurs)) await once(server, 'connection');
    const ours = accepted.find(isOurs) as net.Socket;
    for (const other of accepted) if (other !== ours) other.destroy();
    return { socket, handle: takeHandle(ours) };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    server.close();
  }
}
