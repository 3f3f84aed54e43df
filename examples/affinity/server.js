// Baskets in memory: one process knows each of them. And a page whose script has the version in its name.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const { VERSION = '1', PORT = '3000' } = process.env;
const baskets = new Map();

const server = createServer((request, response) => {
  response.setHeader('x-version', VERSION);
  if (request.url === '/') return response.end(`<script src="/assets/app-${VERSION}.js"></script>`);
  if (request.url.startsWith('/assets/')) {
    const isOurs = request.url === `/assets/app-${VERSION}.js`;
    return response.writeHead(isOurs ? 200 : 404).end();
  }
  const known = /basket=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  if (known && !baskets.has(known)) return response.writeHead(410).end('your basket is gone');
  const id = known ?? randomUUID();
  const things = (baskets.get(id) ?? 0) + 1;
  baskets.set(id, things);
  response.setHeader('set-cookie', `basket=${id}; HttpOnly`).end(`${things}`);
});

server.listen(PORT);
