import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import type { ReleaseOrder } from '../core/state/state.ts';
import type { Status } from '../core/status.ts';
import { HandoverError } from '../errors.ts';
import type { StrategyName } from '../options/strategies.ts';
import type { ConfigChange } from '../supervisor/configuration.ts';
import type {
  AbortDone,
  History,
  PromoteDone,
  ReloadDone,
  RetireDone,
  RollbackDone,
  ScaleDone
} from '../supervisor/replies.ts';
import { RELOAD, ROLLBACK, readOrder, SCALE } from './bodies.ts';

export type { AbortDone, ConfigChange, History, PromoteDone, ReloadDone, RetireDone, RollbackDone, ScaleDone };

/** One line of `GET /events`, and of the log. */
export interface ServiceEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly level: 'info' | 'warn' | 'error';
  /** Its name, such as `cutover`. */
  readonly event: string;
  /** What else is known: `generation`, `worker`, `reason` and more, by event. */
  readonly [detail: string]: unknown;
}

/** What a reload starts, and how. */
export interface ReloadOrder extends ReleaseOrder {
  /** Strategy of this handover only. Default: that of the service. */
  readonly strategy?: StrategyName;
  /** Gives up a candidate that is still starting, instead of being refused. Default: false. */
  readonly supersede?: boolean;
  /** Answers after the verdict of the bake, not after the cutover. Default: false. */
  readonly wait?: boolean;
}

/** Where a rollback goes: to the standby, or to any generation of the history. */
export interface RollbackOrder {
  /** Number of a generation in the history whose files still exist. Default: the standby. */
  readonly to?: number;
  /** Gives up a candidate that is still starting, instead of being refused. Default: false. */
  readonly supersede?: boolean;
}

/** What a control socket can ask of its supervisor. */
export interface Operator {
  /** The generation that answers for the service, or null. */
  active(): number | null;
  status(): Promise<Status>;
  reload(order: ReloadOrder): Promise<ReloadDone>;
  rollback(order: RollbackOrder): Promise<RollbackDone>;
  /** Ends the waiting for a verdict: the new generation is kept. */
  promote(): Promise<PromoteDone>;
  /** Ends it the other way: back to the generation before. */
  abort(): Promise<AbortDone>;
  /** Ends the standby now. */
  retire(): Promise<RetireDone>;
  scale(workers: number): Promise<ScaleDone>;
  history(): Promise<History>;
  stop(why: string): Promise<{ readonly ok: true }>;
  /** @returns a function that ends the subscription */
  watch(listener: (event: ServiceEvent) => void): () => void;
}

type Handler = (operator: Operator, body: unknown, response: ServerResponse) => Promise<unknown>;

/** One line per route. A handler that returns undefined has answered by itself. */
const ROUTES = [
  ['GET', '/status', (operator) => operator.status()],
  ['GET', '/history', (operator) => operator.history()],
  ['POST', '/reload', (operator, body) => operator.reload(readOrder('The body of POST /reload', body, RELOAD))],
  ['POST', '/rollback', (operator, body) => operator.rollback(readOrder('The body of POST /rollback', body, ROLLBACK))],
  ['POST', '/promote', (operator) => operator.promote()],
  ['POST', '/abort', (operator) => operator.abort()],
  ['POST', '/retire', (operator) => operator.retire()],
  ['POST', '/scale', (operator, body) => operator.scale(readScale(body))],
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

function readScale(body: unknown): number {
  const { workers } = readOrder<{ workers?: number }>('The body of POST /scale', body, SCALE);
  if (workers !== undefined) return workers;
  throw new HandoverError('HANDOVER_ERR_CONTROL_BAD_REQUEST', {
    what: 'The body of POST /scale is not usable',
    why: 'it does not say how many workers',
    fix: 'Send {"workers": <n>}'
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
