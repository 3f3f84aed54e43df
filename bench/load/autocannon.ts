import { createRequire } from 'node:module';
import autocannon, { type Client } from 'autocannon';

// autocannon as a process of its own: argv is the port and the number of connections; SIGTERM or a message ends it.
//
// autocannon does not notice an answer that never came because the server said FIN: it opens another connection and
// goes on. The loss shows only as `requests.sent - requests.total`. When its time is over it destroys its connections,
// each with a request outstanding, so that at its end the difference is the number of connections even when nothing was
// lost (measured: 127,619 sent, 127,555 answered, 64 connections). So it is not stopped but left to run out: each
// client is told that the request it has under way is its last, gets its answer, and ends. Then sent = answered holds
// exactly, and whatever is missing was lost.

/** What is used of autocannon's client besides its types: a client that has made this many requests makes no more. */
interface Limited {
  responseMax?: number;
  reqsMade: number;
}

/** What autocannon says of its run. */
export interface AutocannonReport {
  readonly version: string;
  readonly connections: number;
  readonly sent: number;
  readonly answered: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
  readonly resets: number;
  readonly p99: number;
  readonly seconds: number;
}

const [, , port = '0', connections = '1', seconds = '60'] = process.argv;
const clients: (Client & Limited)[] = [];

const run = autocannon({
  url: `http://127.0.0.1:${port}/answer`,
  connections: Number(connections),
  // A bound, never reached: it is told to run out before.
  duration: Number(seconds),
  setupClient: (client) => clients.push(client as Client & Limited)
});

process.on('message', () => {
  for (const client of clients) client.responseMax = Math.max(1, client.reqsMade);
});
process.on('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
process.send?.('ready');

const { requests, errors, timeouts, non2xx, resets, latency, duration } = await run;
const { version } = createRequire(import.meta.url)('autocannon/package.json') as { version: string };
const report: AutocannonReport = {
  version,
  connections: Number(connections),
  sent: requests.sent,
  answered: requests.total,
  errors,
  timeouts,
  non2xx,
  resets: resets ?? 0,
  p99: latency.p99,
  seconds: duration
};
process.send?.(report, () => process.exit());
