import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const { PORT = '3000', VERSION = '1' } = process.env;
const server = createServer((request, response) => {
  const id = request.headers['x-id'];
  response.writeHead(200, { 'x-id': id, 'x-version': VERSION }).end(`answer to ${id}\n`);
});
const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(JSON.stringify({ id: String(data), version: VERSION })));
});

// What is still open when this version ends is told to come again: 1012 is "service restart".
process.once('SIGTERM', () => {
  for (const socket of sockets.clients) socket.close(1012);
  server.close(() => process.exit());
});

server.listen(PORT);
