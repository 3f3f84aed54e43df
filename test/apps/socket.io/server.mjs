import { createServer } from 'node:http';
import { Server } from 'socket.io';

const { PORT = '3000', VERSION = '1' } = process.env;
const server = createServer((request, response) => {
  const id = request.headers['x-id'];
  response.writeHead(200, { 'x-id': id, 'x-version': VERSION }).end(`answer to ${id}\n`);
});
const io = new Server(server);

io.on('connection', (socket) => {
  socket.on('ask', (reply) => reply(VERSION));
});

process.once('SIGTERM', () => io.close(() => process.exit()));

server.listen(PORT);
