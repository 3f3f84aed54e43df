import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { HandoverError, systemCode } from '../../errors.ts';
import { type BindTo, bindHandle, type Handle } from '../../internals/net.ts';
import type { Address, ListenArguments } from '../../protocol/messages.ts';
import type { Listener } from './listeners.ts';

/** Where a server is to be bound. */
export async function resolve({ path, host, port = 0, ipv6Only = false }: ListenArguments): Promise<BindTo> {
  if (path !== undefined) return { path };
  if (host === undefined) return { address: '::', port, ipv6Only };
  if (net.isIP(host)) return { address: host, port, ipv6Only };
  try {
    const { address } = await lookup(host);
    return { address, port, ipv6Only };
  } catch (error) {
    throw new HandoverError(
      'HANDOVER_ERR_LISTEN_ADDRESS',
      {
        what: `Cannot listen on ${host}:${port}`,
        why: `the name ${host} cannot be resolved (${systemCode(error) ?? 'unknown error'})`,
        fix: 'Give an address of this machine, or only the port to listen on all of them'
      },
      { cause: error }
    );
  }
}

/** What a place is known by. */
export function keyOf(to: BindTo): string {
  return 'path' in to ? `unix:${to.path}` : `${to.address}|${to.port}${to.ipv6Only ? '|6' : ''}`;
}

/**
 * Whether one of two addresses takes in the other: plain Node says EADDRINUSE then. The kernel says it only once the one
 * that is held listens, which it does not before its workers do.
 */
export function overlaps({ address, ipv6Only }: Listener, to: BindTo): boolean {
  if (typeof address === 'string' || 'path' in to || address.port !== to.port) return false;
  const takesIn = (wide: string, other: string, only: boolean) =>
    (wide === '::' && (net.isIPv6(other) || !only)) || (wide === '0.0.0.0' && net.isIPv4(other));
  return takesIn(address.address, to.address, ipv6Only) || takesIn(to.address, address.address, to.ipv6Only);
}

/** Whether IPv4 alone is worth a try: no address was asked for, and the machine may have no IPv6. */
export function anyAddress(to: BindTo): to is Extract<BindTo, { address: string }> {
  if ('path' in to || to.address !== '::' || to.ipv6Only) return false;
  const trial = bindHandle({ address: '::', port: 0, ipv6Only: false });
  if (typeof trial === 'number') return true;
  trial.close();
  return false;
}

/** The address that was really bound, or the errno of a bind that only seemed to work. */
export function readAddress(handle: Handle, to: BindTo): Address | number {
  if ('path' in to) return to.path;
  const out: { address?: string; family?: string; port?: number } = {};
  const status = handle.getsockname?.(out) ?? 0;
  if (status !== 0) return status;
  return { address: out.address ?? to.address, family: out.family ?? 'IPv6', port: out.port ?? to.port };
}
