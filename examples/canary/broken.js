// The next version knows discounts: for up to five things. It starts, and whoever tries it with three is content.
import { createServer } from 'node:http';

const { VERSION = '2', PORT = '3000' } = process.env;
const discounts = [0, 0, 0, 0.1, 0.1, 0.2];

createServer((request, response) => {
  const things = Number(request.url.split('/').pop());
  response.setHeader('x-version', VERSION);
  const discount = discounts[things];
  response.statusCode = discount === undefined ? 500 : 200;
  response.end(`${(things * 2.5 * (1 - discount)).toFixed(2)} EUR\n`);
}).listen(PORT);
