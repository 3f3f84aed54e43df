import net from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { type ErrorCode, HandoverError } from '../../errors.ts';
import type { BindTo } from '../../internals/net.ts';
import type { Address, ListenArguments } from '../../protocol/messages.ts';
import { gaveUpRoot } from '../rights/gave-up-root.ts';
import type { Listener } from './listeners.ts';

/** An address the way people write it. */
export function showAddress(address: Address): string {
  if (typeof address === 'string') return `unix:${address.replace(/^\0/, '@')}`;
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/** What an app asked `listen()` for, the way people write it. */
export function showWanted({ path, host, port = 0 }: ListenArguments): string {
  if (path !== undefined) return `unix:${path}`;
  return host === undefined ? String(port) : `${showHost(host)}:${port}`;
}

/** The listeners that were in the way of an address, by the error that said so. */
const overlapped = new WeakMap<object, string>();

/** The key of the listener that an address could not be bound beside, or null where it failed for another reason. */
export function overlappedBy(error: unknown): string | null {
  return typeof error === 'object' && error !== null ? (overlapped.get(error) ?? null) : null;
}

/** Why an address of an app cannot be bound: the service has one that takes it in, or the other way round. */
export function explainOverlap(listener: Listener, to: BindTo): HandoverError {
  const { code, what, cause } = explain(-constants.errno.EADDRINUSE, to);
  const why = `the service itself has ${showAddress(listener.address)}, and the one is a part of the other`;
  const fix = 'Let every version ask for the same host, or none; to change it, stop the service and start it again';
  const error = new HandoverError(code, { what, why, fix }, { cause });
  overlapped.set(error, listener.key);
  return error;
}

/** Turns an errno of bind or listen into what a person needs to know. */
export function explain(errno: number, to: BindTo | Address): HandoverError {
  const code = getSystemErrorName(errno);
  const where =
    typeof to === 'string' ? `unix:${to}` : 'path' in to ? `unix:${to.path}` : `${showHost(to.address)}:${to.port}`;
  const what = `Cannot listen on ${where}`;
  const cause = Object.assign(new Error(code), { code });
  if (code === 'EADDRINUSE') {
    const fix =
      'Find it with `ss -ltnp` and stop it, or choose another address. If a supervisor was killed a moment ago, its workers let go of the address after the orphan timeout';
    return new HandoverError(
      'HANDOVER_ERR_LISTEN_IN_USE',
      { what, why: 'another program holds this address (EADDRINUSE)', fix },
      { cause }
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    if (typeof to === 'string' || 'path' in to) {
      const fix = 'Let this user write in its folder, or choose another path';
      return new HandoverError(
        'HANDOVER_ERR_LISTEN_PERMISSION',
        { what, why: `this user may not write in its folder (${code})`, fix },
        { cause }
      );
    }
    const dropped =
      'The supervisor has given root up (--supervisor-user) and binds no further port below 1024: stop it and start it with this port, or use --user in place of --supervisor-user';
    const allow = `Allow it in one of three ways: \`sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"\`, a systemd socket unit in front, or run it as root; or choose a port of 1024 or above`;
    return new HandoverError(
      'HANDOVER_ERR_LISTEN_PERMISSION',
      { what, why: `this user may not bind it (${code})`, fix: gaveUpRoot() ? dropped : allow },
      { cause }
    );
  }
  const fix = 'Give an address of this machine: `ip address` shows them';
  return new HandoverError('HANDOVER_ERR_LISTEN_ADDRESS', { what, why: `the system answered ${code}`, fix }, { cause });
}

/** Why a worker could not listen on what it was lent. */
export function explainRefusal(errno: string, listener: Listener | undefined): { code: ErrorCode; why: string } {
  if (listener && /^-\d+$/.test(errno)) {
    const { code, what, why } = explain(Number(errno), listener.address);
    return { code, why: `${what}: ${why}` };
  }
  return { code: 'HANDOVER_ERR_CANDIDATE_NOT_ACCEPTING', why: `it could not take the address (${errno})` };
}

/** A host the way people write it before a port. */
function showHost(address: string): string {
  return net.isIPv6(address) ? `[${address}]` : address;
}
