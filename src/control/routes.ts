import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogFilter, LogLine } from '../core/log-line.ts';
import type { AskedBy, ReleaseOrder } from '../core/state/state.ts';
import type { Status } from '../core/status.ts';
import { HandoverError } from '../errors.ts';
import type { UserCanary } from '../options/canary.ts';
import type { StrategyName } from '../options/strategies.ts';
import type { ConfigChange } from '../supervisor/configuration.ts';
import type {
  AbortDone,
  CanaryDone,
  DrainDone,
  History,
  PromoteDone,
  ReloadDone,
  RetireDone,
  RollbackDone,
  ScaleDone,
  UndrainDone
} from '../supervisor/replies.ts';
import { DRAIN, RELOAD, ROLLBACK, readOrder, SCALE, SHARES, UPGRADE } from './bodies.ts';
import { streamLogs } from './log-stream.ts';

export type {
  AbortDone,
  CanaryDone,
  ConfigChange,
  DrainDone,
  History,
  PromoteDone,
  ReloadDone,
  RetireDone,
  RollbackDone,
  ScaleDone,
  UndrainDone
};

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
  /** What it answers first, beside the active generation; `"off"`: it takes over at once, whatever the options say. */
  readonly canary?: string | number | UserCanary;
  /** How long each step of the canary takes. */
  readonly hold?: string | number;
  /** Who goes where: `"random"`, `"connection"`, `"ip"`, `"ip:HEADER"`, `"cookie:NAME"`, `"header:NAME"`, `"query:NAME"`. */
  readonly by?: string;
  /** In place of `canary`: a share that is never judged, and never ends by itself. */
  readonly split?: string | number;
  /** Name of the split. */
  readonly splitName?: string;
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
  /** The same, in somebody's name. */
  as(by: AskedBy): Operator;
  /** The generation that answers for the service, or null. */
  active(): number | null;
  status(): Promise<Status>;
  reload(order: ReloadOrder): Promise<ReloadDone>;
  rollback(order: RollbackOrder): Promise<RollbackDone>;
  /** Gives a canary another share, 0-1 or such as `"25%"`. */
  canary(share: string | number): Promise<CanaryDone>;
  /** Ends the waiting for a verdict: the new generation is kept; a canary gets the rest. */
  promote(): Promise<PromoteDone>;
  /** Ends it the other way: back to the generation before. */
  abort(): Promise<AbortDone>;
  /** Ends the standby now. */
  retire(): Promise<RetireDone>;
  scale(workers: number): Promise<ScaleDone>;
  /** Takes the service out of its load balancers. */
  drain(order: DrainOrder): Promise<DrainDone>;
  /** Puts it back. */
  undrain(): Promise<UndrainDone>;
  /** Replaces the supervisor by one of what is on the disk now. */
  upgrade(order: UpgradeOrder): Promise<UpgradeDone>;
  history(): Promise<History>;
  stop(why: string): Promise<{ readonly ok: true }>;
  /** @returns a function that ends the subscription */
  watch(listener: (event: ServiceEvent) => void): () => void;
  readonly logs: Logs;
}

/** What a service has said, and says. */
export interface Logs {
  /** The last lines, oldest first: not older than `since`, in milliseconds since the epoch, and at most so many. */
  last(query: LogFilter & { readonly since?: number; readonly lines?: number }): readonly LogLine[];
  /** @returns a function that ends it */
  watch(listener: (piece: LogPiece) => void): () => void;
}

/** What was written at once: an event, or some lines of one worker. */
export interface LogPiece {
  readonly lines: readonly LogLine[];
  isWanted(filter: LogFilter): boolean;
}

/** How a service is taken out of its load balancers. */
export interface DrainOrder {
  /** It comes back by itself after that time. Default: with `undrain`. */
  readonly for?: string | number;
  /** Whether each answer says `Connection: close`, so that pooled connections of a proxy move to other machines. Default: false. */
  readonly closeIdle?: boolean;
}

/** How the next supervisor is started; what is left out is as it is with this one. */
export interface UpgradeOrder {
  /** Path of another Node binary. */
  readonly node?: string;
  /** Other arguments of `handover run`: the entry, its options and its arguments. */
  readonly args?: readonly string[];
}

/** The answer to `upgrade`. */
export interface UpgradeDone {
  readonly ok: true;
  /** The generation that serves, before and after. */
  readonly active: number;
  /** The pid of the supervisor before. */
  readonly from: number;
  /** The pid of the supervisor now. */
  readonly to: number;
}

type Handler = (
  operator: Operator,
  body: unknown,
  response: ServerResponse,
  query: URLSearchParams
) => Promise<unknown>;

/** One line per route. A handler that returns undefined has answered by itself. */
const ROUTES = [
  ['GET', '/status', (operator) => operator.status()],
  ['GET', '/history', (operator) => operator.history()],
  ['POST', '/reload', (operator, body) => operator.reload(readOrder('The body of POST /reload', body, RELOAD))],
  ['POST', '/rollback', (operator, body) => operator.rollback(readOrder('The body of POST /rollback', body, ROLLBACK))],
  ['POST', '/canary', (operator, body) => operator.canary(readShareOrder(body))],
  ['POST', '/promote', (operator) => operator.promote()],
  ['POST', '/abort', (operator) => operator.abort()],
  ['POST', '/retire', (operator) => operator.retire()],
  ['POST', '/scale', (operator, body) => operator.scale(readScale(body))],
  ['POST', '/drain', (operator, body) => operator.drain(readOrder('The body of POST /drain', body, DRAIN))],
  ['POST', '/undrain', (operator) => operator.undrain()],
  ['POST', '/upgrade', (operator, body) => operator.upgrade(readOrder('The body of POST /upgrade', body, UPGRADE))],
  ['POST', '/stop', (operator) => operator.stop('asked over the control socket')],
  ['GET', '/events', stream],
  ['GET', '/logs', streamLogs]
] as const satisfies readonly (readonly ['GET' | 'POST', string, Handler])[];

export type Find = (request: IncomingMessage) => Handler;

/** @throws HANDOVER_ERR_CONTROL_NOT_FOUND from the function it returns, with the routes that exist */
export function createRouter(): Find {
  const handlers = new Map<string, Handler>(ROUTES.map(([method, path, handler]) => [`${method} ${path}`, handler]));
  return ({ method, url }) => {
    const path = (url ?? '/').split('?', 1)[0] ?? '/';
    const found = handlers.get(`${method} ${path}`);
    if (found) return found;
    const known = ROUTES.map(([verb, route]) => `${verb} ${route}`).join(', ');
    throw new HandoverError('HANDOVER_ERR_CONTROL_NOT_FOUND', {
      what: `No route for ${method} ${path.slice(0, 80)}`,
      why: 'the control socket does not have it',
      fix: `Use one of: ${known}`
    });
  };
}

function readShareOrder(body: unknown): string | number {
  const { share } = readOrder<{ share?: string | number }>('The body of POST /canary', body, SHARES);
  if (share !== undefined) return share;
  throw new HandoverError('HANDOVER_ERR_CONTROL_BAD_REQUEST', {
    what: 'The body of POST /canary is not usable',
    why: 'it does not say which share',
    fix: 'Send {"share": "25%"}'
  });
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
