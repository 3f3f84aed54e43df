import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

// An enum is TypeScript that is not erased: Node alone does not run it.
enum Status {
  Ok = 200,
  NotFound = 404
}

const { PORT = '3000', VERSION = '1' } = process.env;

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app');
  const id = String(request.headers['x-id']);
  const headers = { 'x-id': id, 'x-version': VERSION };
  if (pathname === '/slow') await delay(Number(searchParams.get('ms')));
  else if (pathname !== '/answer') return response.writeHead(Status.NotFound, headers).end();
  response.writeHead(Status.Ok, headers).end(`answer to ${id}\n`);
}).listen(PORT);
