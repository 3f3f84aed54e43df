// A ticker by server-sent events. It resumes from `Last-Event-ID`, as every EventSource wants. It knows nothing about handover.
import { createServer } from 'node:http';

const { VERSION = '1', PORT = '3000' } = process.env;

createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let tick = Number(request.headers['last-event-id'] ?? 0);
  const timer = setInterval(() => {
    tick += 1;
    response.write(`id: ${tick}\ndata: tick ${tick} of version ${VERSION}\n\n`);
  }, 50);
  response.on('close', () => clearInterval(timer));
}).listen(PORT);
