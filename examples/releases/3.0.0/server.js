// The third release: somebody has lost the coffee. It starts, and passes its check; only the guests find out.
import { createServer } from 'node:http';

const prices = new Map([['/tea', { amount: 3, currency: 'EUR' }]]);

createServer((request, response) => {
  response.setHeader('x-release', '3.0.0');
  try {
    const { amount, currency } = prices.get(request.url);
    response.end(`${currency} ${amount.toFixed(2)}\n`);
  } catch (error) {
    response.statusCode = 500; // as a framework does it
    response.end(`${error.message}\n`);
  }
}).listen(process.env.PORT ?? 3000);
