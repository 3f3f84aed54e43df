import { availableParallelism } from 'node:os';
import type { RestartLimit } from '../core/state/state.ts';
import { readDuration } from './durations.ts';

// Readers turn what a user wrote into a value, or undefined where that cannot be.

/**
 * An address to listen on, as bind needs it, and the port that the server asks for which is to get it. With `systemd` it is bound
 * already: the sockets that systemd passes under this name, or all of them (null).
 */
export type ListenAddress = (
  | { readonly port: number; readonly host?: string }
  | { readonly path: string }
  | { readonly systemd: string | null }
) & { readonly asked: number | null };

/** A text that is not empty and has a limit, as paths have. */
export function readText(mostBytes: number): (given: unknown) => string | undefined {
  return (given) => {
    const usable = typeof given === 'string' && given !== '' && Buffer.byteLength(given) <= mostBytes;
    return usable && !given.includes('\0') ? given : undefined;
  };
}

export function readList<T>(read: (given: unknown) => T | undefined): (given: unknown) => readonly T[] | undefined {
  return (given) => {
    const list = (Array.isArray(given) ? given : [given]).map(read);
    return list.some((one) => one === undefined) ? undefined : (list as T[]);
  };
}

/** A name that people read: one line, not too long. */
export function readName(given: unknown): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return typeof given === 'string' && /^[^\x00-\x1f\x7f]{1,100}$/.test(given) ? given : undefined;
}

/** The mode of a file, from its octal digits. A number would be read in another base than it was meant. */
export function readMode(given: unknown): number | undefined {
  return typeof given === 'string' && /^0?[0-7]{3}$/.test(given) ? Number.parseInt(given, 8) : undefined;
}

export function readAddress(given: unknown): ListenAddress | undefined {
  const [, address = '', , port] = /^(.*?)(=(\d{1,5}))?$/s.exec(String(given)) ?? [];
  if (typeof given !== 'number' && typeof given !== 'string') return undefined;
  const asked = port === undefined ? null : readPort(port)?.port;
  if (asked === undefined || asked === 0) return undefined;
  if (address.startsWith('unix:')) return address.length > 5 ? { path: address.slice(5), asked } : undefined;
  const [systemd, name = null] = /^systemd(?::([^:]+))?$/.exec(address) ?? [];
  if (systemd !== undefined) return { systemd: name, asked };
  const read = readHostAndPort(address);
  return read && { ...read, asked };
}

function readHostAndPort(address: string): { port: number; host?: string } | undefined {
  const [, ipv6, host, port] = /^(?:(?:\[([^\]]+)\]|([^:=\s]+)):)?(\d{1,5})$/.exec(address) ?? [];
  const read = readPort(port ?? '');
  const named = ipv6 ?? host;
  if (/^\d+$/.test(named ?? '')) return undefined; // two ports: to the system, 80 is the address 0.0.0.80
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

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** No process of Node is smaller than this: whoever wrote less forgot the unit. */
const LEAST_SIZE = 16 * 1024 ** 2;

/** A supervisor that kept more would be larger than what it supervises. */
const MOST_BUFFER = 64 * 1024 ** 2;

/** @returns bytes, of something that is no process */
export function readBufferSize(given: unknown): number | undefined {
  const bytes = readBytes(given);
  return bytes !== undefined && bytes <= MOST_BUFFER ? bytes : undefined;
}

/** @returns bytes, of a file that grows; 0 for no limit */
export function readFileSize(given: unknown): number | undefined {
  const bytes = readBytes(given);
  return bytes === 0 || (bytes !== undefined && bytes >= 64 * 1024) ? bytes : undefined;
}

/** @returns bytes, of a process */
export function readSize(given: unknown): number | undefined {
  const bytes = readBytes(given);
  return bytes !== undefined && bytes >= LEAST_SIZE ? bytes : undefined;
}

/** @returns bytes; a KB is 1024 of them */
function readBytes(given: unknown): number | undefined {
  const [, number, unit = 'b'] = /^(\d{1,15}(?:\.\d{1,9})?)\s?([kmg]?b)?$/i.exec(String(given)) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  return bytes >= 0 && (typeof given === 'string' || typeof given === 'number') ? bytes : undefined;
}

/** @returns 0-1 */
export function readShare(given: unknown): number | undefined {
  const [, number, percent] = /^(\d{1,3}(?:\.\d{1,15})?)(\s?%)?$/.exec(String(given)) ?? [];
  const share = Number(number) / (percent ? 100 : 1);
  return share <= 1 && (typeof given === 'string' || typeof given === 'number') ? share : undefined;
}

/** Reads `5/1m` or `{ max, within }`; what is left out of the object is the default. */
export function readRestarts(given: unknown): RestartLimit | undefined {
  if (typeof given === 'string') {
    const [max, within, ...rest] = given.split('/');
    return rest.length > 0 ? undefined : toRestartLimit(max, within);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const { max = 5, within = '1m', ...unknown } = given as { max?: unknown; within?: unknown };
  return Object.keys(unknown).length > 0 ? undefined : toRestartLimit(max, within);
}

function toRestartLimit(givenMax: unknown, within: unknown): RestartLimit | undefined {
  const max = readInteger(0, 1_000)(givenMax);
  const windowMs = readDuration(1)(within);
  return max === undefined || windowMs === undefined ? undefined : { max, windowMs };
}
