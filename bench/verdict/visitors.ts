import http from 'node:http';

// Twenty visitors of a shop, in a process of their own: so many requests a second, evenly, by chance or in bursts.

const CLIENTS = 20;
const TICK_MS = 10;
const PATHS = ['/', '/orders/4711', '/items/9f8e7d6c5b4a/price', '/about', '/search?q=tea', '/cart', '/help', '/news'];

const [port = 0, rate = 0] = process.argv.slice(2, 4).map(Number);
const traffic = process.argv[4] ?? 'steady';
const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
const counts = { asked: 0, answered: 0, bad: 0 };
let due = 0;

/** How often something happens that happens `mean` times on average. */
function drawCount(mean: number): number {
  let count = 0;
  for (let left = Math.random(); left > Math.exp(-mean); left *= Math.random()) count += 1;
  return count;
}

function ask(): void {
  const path = PATHS[counts.asked % PATHS.length] ?? '/';
  counts.asked += 1;
  const request = http.get({ port, path, agent }, (response) => {
    response.resume();
    counts.answered += 1;
    if ((response.statusCode ?? 0) >= 500) counts.bad += 1;
  });
  request.on('error', () => {
    counts.bad += 1;
  });
}

let last = performance.now();
setInterval(() => {
  const now = performance.now();
  const isBurst = Math.floor(now / 1_000) % 4 === 0;
  const share = traffic === 'bursty' ? (isBurst ? 3 : 1 / 3) : 1;
  const mean = (rate * share * (now - last)) / 1_000;
  last = now;
  due += traffic === 'poisson' ? drawCount(mean) : mean;
  for (; due >= 1; due -= 1) ask();
}, TICK_MS);

process.on('message', () => process.send?.({ ...counts }));
process.once('disconnect', () => process.exit());
process.send?.({});
