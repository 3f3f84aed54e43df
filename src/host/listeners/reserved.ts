import { bindHandle, type Handle } from '../../internals/net.ts';
import type { ListenAddress } from '../../options/readers.ts';
import { firstFreePort } from '../rights/reserved-ports.ts';
import { anyAddress, keyOf, resolve } from './places.ts';

/**
 * Sockets that were bound while this process was still root, by the key of their address, until they are asked for; or the errno
 * of one that could not be.
 */
const reserved = new Map<string, Handle | number>();

/** Binds the ports of `--listen` that only root may bind. What is wrong with one is said when it is asked for. */
export async function reservePorts(addresses: readonly ListenAddress[]): Promise<void> {
  for (const { asked: _asked, ...wanted } of addresses) {
    if (!('port' in wanted) || wanted.port === 0 || wanted.port >= firstFreePort()) continue;
    const to = await resolve(wanted);
    const bound = bindHandle(to);
    const isIpv4 = typeof bound === 'number' && anyAddress(to);
    reserved.set(keyOf(to), isIpv4 ? bindHandle({ ...to, address: '0.0.0.0' }) : bound);
  }
}

/** Takes what was bound for a key. */
export function takeReserved(key: string): Handle | number | undefined {
  const found = reserved.get(key);
  reserved.delete(key);
  return found;
}
