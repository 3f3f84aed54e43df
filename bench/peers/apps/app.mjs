// The one plain app of the comparison, the same behind every system.
//
// It is the service that the strict client talks to, with what the documentation of Node, PM2 and systemd ask of an app:
// it tells its parent that it is ready, and at SIGINT or SIGTERM it stops listening, finishes what is in flight, and exits.
//
//   DRAIN_MS    how long it finishes what is in flight, before it exits all the same; 5000 by default
//   SAYS_CLOSE  where it is set, its answers say `Connection: close` from the signal on
import { server } from '../../client/app.mjs';

const { DRAIN_MS = '5000', SAYS_CLOSE } = process.env;

server.once('listening', () => process.send?.('ready'));

function leave() {
  if (SAYS_CLOSE) server.prependListener('request', (_, response) => response.setHeader('connection', 'close'));
  server.close(() => process.exit(0));
  setTimeout(() => process.exit(0), Number(DRAIN_MS)).unref();
}
process.once('SIGINT', leave);
process.once('SIGTERM', leave);

/** What Watt asks an app to export: resolves when it has finished. */
export const close = () => new Promise((done) => server.close(done));
