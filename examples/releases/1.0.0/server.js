// The first release of the tea house: what a cup of it costs.
import { createServer } from 'node:http';

const prices = new Map([
  ['/tea', 3],
  ['/coffee', 4]
]);

createServer((request, response) => {
  response.setHeader('x-release', '1.0.0');
  response.end(`${prices.get(request.url).toFixed(2)}\n`);
}).listen(process.env.PORT ?? 3000);
