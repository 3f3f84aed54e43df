import { availableParallelism } from 'node:os';

// Readers turn what a user wrote into a value, or undefined where that cannot be.

/** An address to listen on, as bind needs it. */
export type ListenAddress = { readonly port: number; readonly host?: string } | { readonly path: string };

export function readList<T>(read: (given: unknown) => T | undefined): (given: unknown) => readonly T[] | undefined {
  return (given) => {
    const list = (Array.isArray(given) ? given : [given]).map(read);
    return list.some((one) => one === undefined) ? undefined : (list as T[]);
  };
}

export function readAddress(given: unknown): ListenAddress | undefined {
  if (typeof given === 'number') return readPort(String(given));
  if (typeof given !== 'string') return undefined;
  if (given.startsWith('unix:')) return given.length > 5 ? { path: given.slice(5) } : undefined;
  const [, ipv6, host, port] = /^(?:(?:\[([^\]]+)\]|([^:\s]+)):)?(\d{1,5})$/.exec(given) ?? [];
  const read = readPort(port ?? '');
  const named = ipv6 ?? host;
  return read && named !== undefined && named !== '*' ? { ...read, host: named } : read;
}

function readPort(text: string): { port: number } | undefined {
  const port = Number(text);
  return text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535 ? { port } : undefined;
}

export function readWorkers(given: unknown): number | undefined {
  return given === 'max' ? availableParallelism() : readInteger(1, 128)(given);
}

export function readInteger(least: number, most: number): (given: unknown) => number | undefined {
  return (given) => {
    const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
    return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined;
  };
}

export function readOneOf<T extends string>(...choices: T[]): (given: unknown) => T | undefined {
  return (given) => choices.find((choice) => choice === given);
}
