// The second release: prices have a currency.
import { createServer } from 'node:http';

const prices = new Map([
  ['/tea', 3],
  ['/coffee', 4]
]);

createServer((request, response) => {
  response.setHeader('x-release', '2.0.0');
  response.end(`${prices.get(request.url).toFixed(2)} EUR\n`);
}).listen(process.env.PORT ?? 3000);
