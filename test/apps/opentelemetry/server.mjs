import { createServer } from 'node:http';

const { PORT = '3000', VERSION = '1' } = process.env;

createServer((request, response) => {
  const id = request.headers['x-id'];
  response.writeHead(200, { 'x-id': id, 'x-version': VERSION }).end(`answer to ${id}\n`);
}).listen(Number(PORT), '127.0.0.1');
