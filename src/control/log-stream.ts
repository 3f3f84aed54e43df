import type { ServerResponse } from 'node:http';
import type { LogFilter, LogLine } from '../core/log-line.ts';
import { HandoverError } from '../errors.ts';
import type { Operator } from './routes.ts';

/** A reader that has this much before it has not read is not waited for: what comes then is counted instead. */
const UNREAD_BYTES = 1024 * 1024;

/** What `GET /logs` takes, in its query. */
export interface LogsOrder extends LogFilter {
  /** Milliseconds since the epoch. */
  readonly since?: number;
  /** The last ones only, so many. */
  readonly lines?: number;
  /** Goes on with what comes. */
  readonly follow?: boolean;
}

/** The last lines, one JSON object each, and with `follow` what comes, until the client leaves or the supervisor ends. */
export async function streamLogs(
  { logs }: Pick<Operator, 'logs'>,
  _body: unknown,
  response: ServerResponse,
  query: URLSearchParams
): Promise<undefined> {
  const { since, lines, follow = false, ...filter } = readLogsOrder(query);
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  const wanted = { ...filter, ...(since === undefined ? {} : { since }), ...(lines === undefined ? {} : { lines }) };
  const before = lines === 0 ? [] : logs.last(wanted);
  if (before.length > 0) response.write(print(before));
  if (!follow) {
    response.end();
    return undefined;
  }
  let skipped = 0;
  const tellSkipped = () => {
    if (skipped === 0) return;
    const notice = { time: new Date().toISOString(), level: 'warn', event: 'lines-skipped', lines: skipped } as const;
    skipped = 0;
    response.write(print([{ ...notice, reason: 'they were not read fast enough' }]));
  };
  const end = logs.watch((piece) => {
    const isLast = isStop(piece.lines);
    if (piece.isWanted(filter)) {
      if (response.writableLength > UNREAD_BYTES) skipped += piece.lines.length;
      else {
        tellSkipped();
        response.write(print(piece.lines));
      }
    }
    if (!isLast) return;
    tellSkipped();
    response.end();
  });
  response.on('drain', tellSkipped);
  response.once('close', end);
  return undefined;
}

/** The service has ended: nothing comes after it. */
function isStop([first]: readonly LogLine[]): boolean {
  return first !== undefined && 'event' in first && first.event === 'stopped';
}

function print(lines: readonly LogLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** The text of a query, for {@link streamLogs}. */
export function writeLogsOrder({ since, lines, follow, of, kind }: LogsOrder): string {
  const given = { since, lines, follow: follow ? 1 : undefined, of, kind };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}

const NUMBER = { is: (text: string) => /^\d{1,15}$/.test(text), wants: 'a number' };
const FIELDS: Readonly<Record<string, { is(text: string): boolean; wants: string }>> = {
  since: NUMBER,
  lines: NUMBER,
  follow: { is: (text) => text === '1', wants: '1' },
  of: { is: (text) => /^\d{1,9}(\.\d{1,9})?$/.test(text), wants: 'a generation or a worker, such as 7 or 7.1' },
  kind: { is: (text) => text === 'output' || text === 'events', wants: 'output or events' }
};

/** @throws HANDOVER_ERR_CONTROL_BAD_REQUEST */
function readLogsOrder(query: URLSearchParams): LogsOrder {
  const refuse = (why: string) =>
    new HandoverError('HANDOVER_ERR_CONTROL_BAD_REQUEST', {
      what: 'The query of GET /logs is not usable',
      why,
      fix: `Use some of: ${Object.keys(FIELDS).join(', ')}`
    });
  for (const [name, value] of query) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (!field) throw refuse(`"${name.slice(0, 40)}" is not known`);
    if (!field.is(value)) throw refuse(`"${name}" must be ${field.wants}`);
  }
  const { since, lines, follow, ...filter } = Object.fromEntries(query);
  return {
    ...filter,
    ...(since === undefined ? {} : { since: Number(since) }),
    ...(lines === undefined ? {} : { lines: Number(lines) }),
    ...(follow === undefined ? {} : { follow: true })
  };
}
