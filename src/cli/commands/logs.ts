import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../control/client.ts';
import type { LogsOrder } from '../../control/log-stream.ts';
import type { LogLine } from '../../core/log-line.ts';
import { HandoverError } from '../../errors.ts';
import { readDuration } from '../../options/durations.ts';
import { Option } from '../commander.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { showLogLine } from '../log-lines.ts';
import { invalid } from '../release-flags.ts';
import type { Command, Given } from './command.ts';

/** How long a supervisor that was replaced or killed may take to be there again. */
const AGAIN_MS = 10_000;
const RETRY_MS = 100;

export const logs: Command = {
  name: 'logs',
  operands: [],
  about: 'Show the last lines of the workers and the events of the supervisor, and with -f those that come.',
  details: `The supervisor keeps the last lines in memory, 1 MB of them unless --log-buffer says otherwise. After an upgrade, or when the
next supervisor has taken over, they begin anew; -f goes on over that, until the service stops or Ctrl-C.

  handover logs -f --worker 7.1
  handover logs --since 10m --events
  handover logs -n 100 --output

With --json each line is one JSON object: {"time","generation","worker","stream","line"}, or an event.`,
  flags: () => [
    new Option('-f, --follow', 'Go on with what comes.'),
    new Option('-n, --lines <n>', 'The last lines only. Default: all that are kept.').argParser(readLines),
    new Option('--since <10m>', 'Not older than this: a duration, or a time such as 2026-01-31T14:00.').argParser(
      readSince
    ),
    new Option('--worker <7.1>', 'Of one worker; 7 is all of generation 7.').argParser(readWorker),
    new Option('--output', 'Only what workers write.'),
    new Option('--events', 'Only what the supervisor says.'),
    ...createPlaceFlags().filter(({ long }) => long !== '--json'),
    new Option('--json', 'Print each line as one JSON object; a failure is one too.')
  ],
  async run({ flags }, io) {
    const order = readOrder(flags);
    const socket = await findSupervisor(flags);
    const print = createPrinter(io, flags.json === true);
    if (order.follow) return follow(socket, order, print, io);
    await read(socket, order, print, io.unread);
  }
};

type Print = (lines: readonly LogLine[]) => Promise<void>;

function createPrinter(io: Io, json: boolean): Print {
  const show = (line: LogLine) => (json ? JSON.stringify(line) : showLogLine(line, io.paint));
  return async (lines) => {
    if (lines.length === 0) return;
    io.out(lines.map(show).join('\n'));
    await io.drained();
  };
}

async function read(socket: string, order: LogsOrder, print: Print, signal: AbortSignal, onAnswered = () => {}) {
  const client = new ControlClient(socket);
  let hasAnswered = false;
  try {
    await client.logs(
      order,
      print,
      () => {
        hasAnswered = true;
      },
      signal
    );
  } finally {
    if (hasAnswered) onAnswered();
    await client.close();
  }
}

/** Follows until the service stops, Ctrl-C, or nobody reads any more; over the change of its supervisor. */
async function follow(socket: string, first: LogsOrder, print: Print, io: Io): Promise<void> {
  const end = new AbortController();
  const leave = () => end.abort();
  io.unread.addEventListener('abort', leave);
  process.once('SIGINT', leave);
  try {
    /** When it was talked to last. */
    let answeredAt: number | null = null;
    const onAnswered = () => {
      answeredAt = performance.now();
    };
    // The next supervisor begins anew: what it has is what comes after what was read.
    const { since: _since, lines: _lines, ...others } = first;
    for (let order = first; !end.signal.aborted; order = others) {
      const failure = await read(socket, order, print, end.signal, onAnswered).catch((error: unknown) => error);
      const isOver = answeredAt === null || performance.now() - answeredAt > AGAIN_MS;
      if (failure !== undefined && (!isBroken(failure) || isOver)) throw failure;
      await delay(RETRY_MS, undefined, { signal: end.signal }).catch(() => {}); // it was told to end
      // A service that has stopped has left nothing.
      if (!existsSync(socket)) return;
    }
  } finally {
    process.off('SIGINT', leave);
  }
}

/** Whether somebody else may answer there soon. */
function isBroken(error: unknown): boolean {
  return HandoverError.is(error) && error.code === 'HANDOVER_ERR_CONTROL_UNREACHABLE';
}

function readOrder(flags: Given['flags']): LogsOrder {
  const { follow, lines, since, worker, output, events } = flags as Flags;
  return {
    ...(follow ? { follow } : {}),
    ...(lines === undefined ? {} : { lines }),
    ...(since === undefined ? {} : { since }),
    ...(worker === undefined ? {} : { of: worker }),
    ...(output === events ? {} : { kind: output ? 'output' : 'events' })
  };
}

interface Flags {
  readonly follow?: true;
  readonly lines?: number;
  readonly since?: number;
  readonly worker?: string;
  readonly output?: true;
  readonly events?: true;
}

function readLines(given: string): number {
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw invalid('--lines', `it must be a number of lines, and it is ${JSON.stringify(given)}`);
}

/** @returns milliseconds since the epoch */
function readSince(given: string): number {
  const duration = readDuration(0)(given);
  if (duration !== undefined) return Math.max(0, Date.now() - duration);
  const time = /^\d{4}-\d\d-\d\d/.test(given) ? Date.parse(given) : Number.NaN;
  if (time >= 0) return time;
  const wanted = 'a duration such as "10m" or a time such as "2026-01-31T14:00"';
  throw invalid('--since', `it must be ${wanted}, and it is ${JSON.stringify(given)}`);
}

function readWorker(given: string): string {
  if (/^\d{1,9}(\.\d{1,9})?$/.test(given)) return given;
  throw invalid('--worker', `it must be a worker such as 7.1, or a generation, and it is ${JSON.stringify(given)}`);
}
