import { isIP } from 'node:net';
import type { Address, ListenArguments } from './messages.ts';
import type { Lent } from './worker-settings.ts';

// Which server of an app gets which address of `--listen`: supervisor and worker both decide it, by these rules.

/** Whether the keys of the servers that listen include this one. */
type Has = (key: string) => boolean;

/** The addresses that were named with `--listen`, in their order. */
export function namedOf<L extends Lent>(lent: readonly L[]): readonly L[] {
  return lent.filter(({ named }) => named);
}

/** The named address that a server asks for by its port, by the port that is mapped to it, or by its path. */
export function askedFor<L extends Lent>(lent: readonly L[], wanted: ListenArguments): L | undefined {
  const fitting = namedOf(lent).filter((one) => asksFor(wanted, one));
  return fitting.find(({ address }) => hostOf(address) === wanted.host) ?? fitting[0];
}

/**
 * Whether a server asks for an address that nobody named, while no server has one that was: it may have to get it.
 *
 * A server on a path never gets a port. One on a port gets a path only where nothing else was named.
 */
export function isUndecided(lent: readonly Lent[], has: Has, wanted: ListenArguments): boolean {
  const named = namedOf(lent);
  if (named.length === 0 || named.some(({ key }) => has(key))) return false;
  return wanted.path === undefined || !named.some(isPort);
}

/** The key of the server that answers on a named address: its own, or that of the one which has the first of the others. */
export function ownerOf(lent: readonly Lent[], has: Has, key: string): string | null {
  if (has(key)) return key;
  const named = namedOf(lent);
  const left = named.find((one) => one.key === key);
  if (!left || left.asked !== null) return null;
  return named.find((one) => has(one.key) && (isPort(one) || !isPort(left)))?.key ?? null;
}

/** The address that an app's only server gets without having asked for it. */
export function firstFor<L extends Lent>(lent: readonly L[], wanted: ListenArguments): L | undefined {
  const free = namedOf(lent).filter(({ asked }) => asked === null);
  const fitting = wanted.path === undefined ? free : free.filter((one) => !isPort(one));
  return fitting.find(isPort) ?? fitting[0];
}

function asksFor({ port, host, path }: ListenArguments, { address, asked }: Lent): boolean {
  if (port !== undefined && port === asked) return true;
  if (typeof address === 'string') return address === path;
  return address.port === port && reaches(host, address.address);
}

/** Whether what is sent to one host may be meant for the other. */
function reaches(asked: string | undefined, named: string): boolean {
  if (asked === undefined || isWildcard(asked) || isWildcard(named) || asked === named) return true;
  return asked === 'localhost' ? named.startsWith('127.') || named === '::1' : isIP(asked) === 0;
}

function isWildcard(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}

function isPort({ address }: Lent): boolean {
  return typeof address === 'object';
}

function hostOf(address: Address): string | undefined {
  return typeof address === 'object' ? address.address : undefined;
}
