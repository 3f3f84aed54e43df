import { type ListenArguments, MESSAGES, type ToSupervisor, type ToWorker } from './messages.ts';
import { explainVersion, PROTOCOL_VERSION } from './versions.ts';

/** Makes a message ready to be sent. */
export function seal<M extends ToWorker | ToSupervisor>(message: M): M & { v: number } {
  return { v: PROTOCOL_VERSION, ...message };
}

export type Parsed<M> = { readonly message: M } | { readonly garbage: string };

/** Reads a message that was received; `garbage` says why it is none. */
export function parse<M extends ToWorker | ToSupervisor>(raw: unknown): Parsed<M> {
  if (typeof raw !== 'object' || raw === null) return { garbage: 'it is no message' };
  const fields = raw as Record<string, unknown>;
  const { v, type } = fields;
  const otherVersion = explainVersion(v);
  if (otherVersion !== null) return { garbage: otherVersion };
  const shape =
    typeof type === 'string' && Object.hasOwn(MESSAGES, type) ? MESSAGES[type as keyof typeof MESSAGES] : undefined;
  if (!shape) return { garbage: `no message is called ${JSON.stringify(type)?.slice(0, 60)}` };
  for (const [field, kind] of Object.entries<string>(shape)) {
    if (kind !== 'any' && kindOf(fields[field]) !== kind) return { garbage: `${type}.${field} is not a ${kind}` };
  }
  if (type === 'listen' && !isWanted(fields.wanted as ListenArguments))
    return { garbage: 'listen.wanted is no address' };
  return { message: fields as unknown as M };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Whether the arguments can be bound as they are: anything else might be bound to an address that nobody asked for. */
function isWanted({ port, host, path, ...flags }: ListenArguments): boolean {
  if (!Object.values(flags).every((flag) => typeof flag === 'boolean')) return false;
  if (port === undefined) return typeof path === 'string' && path !== '' && host === undefined;
  const inRange = Number.isInteger(port) && port > 0 && port <= 65_535;
  return inRange && path === undefined && (host === undefined || (typeof host === 'string' && host !== ''));
}
