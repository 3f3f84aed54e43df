// The one plain app of the comparison, the same behind every system.
//
// It is the service that the strict client talks to, with what the documentation of Node, PM2 and systemd ask of an app:
// it tells its parent that it is ready, and at SIGINT or SIGTERM it stops listening, finishes what is in flight, and exits.
//
//   DRAIN_MS  how long it finishes what is in flight, before it exits all the same; 5000 by default
//   CAREFUL   where it is set, idle connections are not closed under the clients: each gets one more answer, which says
//             `Connection: close`, or ends by its keep-alive timeout
import { Server } from 'node:net';
import { server } from '../../client/app.mjs';

const { DRAIN_MS = '5000', CAREFUL } = process.env;

server.once('listening', () => process.send?.('ready'));

/** Stops listening. `close` of an HTTP server closes idle connections too, that of a net server does not. */
function stopListening(onGone) {
  if (!CAREFUL) return server.close(onGone);
  server.prependListener('request', (_, response) => response.setHeader('connection', 'close'));
  Server.prototype.close.call(server, onGone);
}

function leave() {
  stopListening(() => process.exit(0));
  setTimeout(() => process.exit(0), Number(DRAIN_MS)).unref();
}
process.once('SIGINT', leave);
process.once('SIGTERM', leave);

/** What Watt asks an app to export: resolves when it has finished. */
export const close = () => new Promise(stopListening);
