// Serves what `vite build` has made of its version, and nothing of any other.
import { readFileSync } from 'node:fs';
import http from 'node:http';

const { VERSION } = process.env;

http
  .createServer((request, response) => {
    response.setHeader('x-version', VERSION);
    const path = request.url === '/' ? '/index.html' : request.url;
    try {
      const content = readFileSync(`${import.meta.dirname}/dist/${VERSION}${path}`);
      response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(content);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  })
  .listen(3000);
