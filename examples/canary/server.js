// What a basket costs. It knows nothing about handover, nor about canaries.
import { createServer } from 'node:http';

const { VERSION = '1', PORT = '3000' } = process.env;

createServer((request, response) => {
  const things = Number(request.url.split('/').pop());
  response.setHeader('x-version', VERSION);
  response.end(`${(things * 2.5).toFixed(2)} EUR\n`);
}).listen(PORT);
