import { type LookupAddress, lookup as lookupName } from 'node:dns';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { readConnect } from '../../internals/net.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { systemError } from './system-errors.ts';

type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket;
type Options = Partial<net.TcpNetConnectOpts> & { readonly path?: string | undefined };
type Done = (error: Error | null, found?: string | LookupAddress[], family?: number) => void;
type Lookup = (host: string, options: object, done: Done) => void;

/**
 * Refuses connections of this process to addresses of the service on which none of its own servers listens.
 *
 * That is how apps ask whether their port is free, or a unix socket stale: the one who answers there is the version before,
 * which goes. Under plain Node it would have gone already.
 *
 * @param isAnswered whether a server of this process answers on a listener
 */
export function refuseOwnConnections(lent: readonly Lent[], isAnswered: (key: string) => boolean): void {
  if (lent.length === 0) return;
  const isRefused = (meant: (one: Lent) => boolean) => lent.some((one) => meant(one) && !isAnswered(one.key));
  const connect = net.Socket.prototype.connect as unknown as Connect;
  const refusing: Connect = function (...args) {
    const given = readConnect(args);
    const options = given && guard(given.options as Options, isRefused);
    return options ? connect.call(this, options, given.callback) : connect.apply(this, args);
  };
  net.Socket.prototype.connect = refusing as unknown as typeof net.Socket.prototype.connect;
}

/** The options with which a connection that is to be refused is; null where it cannot come to that. */
function guard(options: Options, isRefused: (meant: (one: Lent) => boolean) => boolean): object | null {
  const { path, host = 'localhost', lookup } = options;
  // Node asks `lookup` where a host is, and passes its error on in its own way.
  const failing = (error: Error) => ({
    ...options,
    path: undefined,
    host: 'localhost',
    port: options.port ?? 1,
    lookup: (_host: string, _options: object, done: Done) => done(error)
  });
  if (path) {
    const refused = isRefused(({ address }) => address === resolve(path));
    return refused ? failing(systemError('connect', 'ECONNREFUSED', { path })) : null;
  }
  const port = Number(options.port);
  if (!isRefused(({ address }) => typeof address === 'object' && address.port === port)) return null;
  const isOurs = (ip: string) => isRefused((one) => leadsTo(ip, port, one));
  const refusal = (ip: string) => systemError('connect', 'ECONNREFUSED', { host: ip, port });
  if (net.isIP(host) !== 0) return isOurs(host) ? failing(refusal(host)) : null;
  const find = (lookup ?? lookupName) as Lookup;
  return {
    ...options,
    lookup: (name: string, how: object, done: Done) =>
      find(name, how, (error, found, family) => {
        if (error || found === undefined) return done(error, found, family);
        if (typeof found === 'string') return isOurs(found) ? done(refusal(found)) : done(null, found, family);
        const others = found.filter(({ address }) => !isOurs(address));
        const [first] = found;
        return others.length === 0 && first ? done(refusal(first.address)) : done(null, others);
      })
  };
}

/** Whether what connects to an IP address of this machine comes to a listener. */
function leadsTo(ip: string, port: number, { address }: Lent): boolean {
  if (typeof address === 'string' || address.port !== port) return false;
  const to = plainAddress(ip);
  if (to === address.address) return true;
  const wild = address.address === '::' || (address.address === '0.0.0.0' && net.isIPv4(to));
  return wild && isLocal(to);
}

/** An IP address as it is connected to: to none in particular means to this machine. */
function plainAddress(ip: string): string {
  if (ip === '0.0.0.0') return '127.0.0.1';
  if (ip === '::') return '::1';
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? ip;
}

function isLocal(ip: string): boolean {
  if (ip === '::1' || (net.isIPv4(ip) && ip.startsWith('127.'))) return true;
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === ip));
}
