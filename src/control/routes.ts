import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import type { Status } from '../core/status.ts';
import { HandoverError } from '../errors.ts';
import type { ReloadDone, RollbackDone } from '../supervisor/replies.ts';

export type { ReloadDone, RollbackDone };

/** One line of `GET /events`, and of the log. */
export interface ServiceEvent {
  readonly time: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly [detail: string]: unknown;
}

/** What a control socket can ask of its supervisor. */
export interface Operator {
  /** The generation that answers for the service, or null. */
  active(): number | null;
  status(): Promise<Status>;
  reload(entry?: string): Promise<ReloadDone>;
  rollback(): Promise<RollbackDone>;
  stop(why: string): Promise<{ readonly ok: true }>;
  /** @returns a function that ends the subscription */
  watch(listener: (event: ServiceEvent) => void): () => void;
}

type Handler = (operator: Operator, body: unknown, response: ServerResponse) => Promise<unknown>;

/** One line per route. A handler that returns undefined has answered by itself. */
const ROUTES = [
  ['GET', '/status', (operator) => operator.status()],
  ['POST', '/reload', (operator, body) => operator.reload(readEntry(body))],
  ['POST', '/rollback', (operator) => operator.rollback()],
  ['POST', '/stop', (operator) => operator.stop('asked over the control socket')],
  ['GET', '/events', stream]
] as const satisfies readonly (readonly ['GET' | 'POST', string, Handler])[];

export type Find = (request: IncomingMessage) => Handler;

/** @throws HANDOVER_ERR_CONTROL_NOT_FOUND from the function it returns, with the routes that exist */
export function createRouter(): Find {
  const router = findMyWay();
  for (const [method, path, handler] of ROUTES) router.on(method, path, () => {}, handler);
  return ({ method, url }) => {
    const path = (url ?? '/').split('?', 1)[0] ?? '/';
    const found = router.find(method as 'GET', path);
    if (found) return found.store as Handler;
    const known = ROUTES.map(([verb, route]) => `${verb} ${route}`).join(', ');
    throw new HandoverError('HANDOVER_ERR_CONTROL_NOT_FOUND', {
      what: `No route for ${method} ${path.slice(0, 80)}`,
      why: 'the control socket does not have it',
      fix: `Use one of: ${known}`
    });
  };
}

function readEntry(body: unknown): string | undefined {
  const known =
    typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : null;
  const unknown = known ? Object.keys(known).find((key) => key !== 'entry') : undefined;
  const entry = known?.entry;
  if (body === undefined || (known && unknown === undefined && (entry === undefined || typeof entry === 'string'))) {
    return entry as string | undefined;
  }
  throw new HandoverError('HANDOVER_ERR_CONTROL_BAD_REQUEST', {
    what: 'The body of POST /reload is not usable',
    why: unknown === undefined ? 'it is not {} or {"entry": "<path>"}' : `"${unknown.slice(0, 40)}" is not known`,
    fix: 'Send {} to reload the entry of the active generation, or {"entry": "<path>"}'
  });
}

/** Every event from now on, one JSON object a line, until the client leaves or the supervisor ends. */
async function stream(operator: Operator, _body: unknown, response: ServerResponse): Promise<undefined> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  const end = operator.watch((event) => {
    // A client that does not read is not waited for.
    if (response.writableLength > STREAM_LIMIT_BYTES) response.destroy();
    else response.write(`${JSON.stringify(event)}\n`);
    if (event.event === 'stopped') response.end();
  });
  response.once('close', end);
  return undefined;
}

const STREAM_LIMIT_BYTES = 1024 * 1024;
