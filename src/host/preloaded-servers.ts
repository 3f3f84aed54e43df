import net from 'node:net';
import { findInstances } from '../internals/inspector.ts';

const PRELOADS = /(^|[\s"])(-r|--require|--import|--loader|--experimental-loader)(?=[\s=])/;

/**
 * Keeps the servers of modules that were preloaded into this process (`NODE_OPTIONS=--require agent.js`) from serving here.
 *
 * The same modules are loaded into each worker, whose servers are shared and handed over: here they would hold the port for
 * ever. What they listen on already is closed, and what they want to listen on later they do not get. The supervisor's own
 * servers ask for `exclusive`.
 */
export function silencePreloadedServers(): void {
  const given = [process.env.NODE_OPTIONS ?? '', ...process.execArgv, ''].join(' ');
  if (!PRELOADS.test(given)) return;
  for (const server of findInstances(net.Server.prototype)) {
    server.on('error', () => {}); // a listen() that is under way fails for having been closed, which means nothing here
    server.close();
  }
  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    const [options] = args as [{ exclusive?: boolean } | undefined];
    if (typeof options !== 'object' || options?.exclusive !== true) return this;
    return (listen as (...args: unknown[]) => net.Server).apply(this, args);
  } as typeof listen;
}
