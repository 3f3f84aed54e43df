import { chmodSync } from 'node:fs';
import type { Server } from 'node:net';
import { HandoverError } from '../errors.ts';
import { explain } from '../host/listeners/explain.ts';
import { clearPath } from '../host/listeners/unix-paths.ts';
import type { AdminAddress } from '../options/admin-options.ts';

/** How soon it is tried again to have an address that the supervisor before, or another program, still has. */
const AGAIN_MS = 100;
const LATER_MS = 5_000;
const SOON_FOR_MS = 10_000;

/** @throws HANDOVER_ERR_LISTEN_IN_USE, HANDOVER_ERR_LISTEN_PERMISSION, HANDOVER_ERR_LISTEN_ADDRESS */
export async function listenOn(server: Server, address: AdminAddress): Promise<void> {
  // Left over by a supervisor that was killed.
  if ('path' in address) await clearPath(address.path);
  await new Promise<void>((done, fail) => {
    const refuse = (error: NodeJS.ErrnoException) =>
      fail(
        error.errno === undefined
          ? error
          : explain(
              error.errno,
              'path' in address ? address : { address: address.host, port: address.port, ipv6Only: false }
            )
      );
    server.once('error', refuse);
    server.listen({ ...address, exclusive: true }, () => {
      server.off('error', refuse);
      done();
    });
  });
  if ('path' in address) chmodSync(address.path, 0o660);
}

/** Where a server listens, as people write it. */
export function showPlace(server: Server, address: AdminAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host } = address;
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Opens a server as soon as its address is free: the supervisor before may still have it. Nothing that serves depends on it.
 *
 * @param isClosed whether it is not wanted any more
 * @param onLate called once where that takes longer than a supervisor needs to leave
 */
export function openWhenFree(open: () => Promise<void>, isClosed: () => boolean, onLate: (why: string) => void): void {
  const began = performance.now();
  let told = false;
  const attempt = async () => {
    try {
      if (!isClosed()) await open();
    } catch (error) {
      const soon = performance.now() - began < SOON_FOR_MS;
      if (!soon && !told) onLate(HandoverError.from(error).message);
      told ||= !soon;
      setTimeout(() => void attempt(), soon ? AGAIN_MS : LATER_MS).unref();
    }
  };
  void attempt();
}
