import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../control/client.ts';
import type { ServiceEvent } from '../control/routes.ts';
import { HandoverError } from '../errors.ts';
import type { Io } from './io.ts';
import { createPhases } from './phases.ts';

/** How long a supervisor may take to open its stream of events. */
const OPEN_MS = 5_000;
/** How long the last event of an order may come after its answer: they travel on two connections. */
const LAST_EVENT_MS = 500;

/** How an order is given and shown. */
export interface Ordering<T> {
  readonly order: (client: ControlClient) => Promise<T>;
  /** The event after which the order shows nothing more. */
  readonly last: (event: ServiceEvent) => boolean;
  /** Prints no phases. */
  readonly quiet: boolean;
}

/**
 * Gives an order and shows its phases as they happen.
 *
 * The events are followed before the order is sent, so that none is missed.
 *
 * @throws what the order throws, HANDOVER_ERR_CONTROL_UNREACHABLE
 */
export async function giveOrder<T>(socket: string, io: Io, { order, last, quiet }: Ordering<T>): Promise<T> {
  const client = new ControlClient(socket);
  const events = new ControlClient(socket);
  const end = new AbortController();
  const phases = quiet ? null : createPhases(io);
  let finished = () => {};
  const seenLast = new Promise<void>((done) => {
    finished = done;
  });
  const onEvent = (event: ServiceEvent) => {
    phases?.show(event);
    if (last(event)) finished();
  };
  try {
    await open(events, onEvent, end.signal, finished);
    const answer = await order(client).catch(async (error) => {
      if (isDeploy(error)) await waitFor(seenLast, quiet);
      throw error;
    });
    await waitFor(seenLast, quiet);
    return answer;
  } finally {
    end.abort();
    phases?.end();
    await Promise.all([client.close(), events.close()]);
  }
}

async function waitFor(seenLast: Promise<void>, quiet: boolean): Promise<void> {
  if (!quiet) await Promise.race([seenLast, delay(LAST_EVENT_MS, undefined, { ref: false })]);
}

/** Settles when nothing can be missed any more. A supervisor that hangs is found out here, before it is asked. */
async function open(
  client: ControlClient,
  onEvent: (event: ServiceEvent) => void,
  signal: AbortSignal,
  onEnd: () => void
): Promise<void> {
  const opened = new Promise<void>((done, fail) => {
    // The stream ends with the supervisor. What an order comes to is told by its answer, not by the stream.
    client.follow(onEvent, done, signal).then(onEnd, (error) => {
      fail(error);
      onEnd();
    });
  });
  const late = new AbortController();
  const overdue = delay(OPEN_MS, undefined, { signal: late.signal }).then(() => {
    throw new HandoverError('HANDOVER_ERR_CONTROL_UNREACHABLE', {
      what: 'Cannot reach the supervisor',
      why: `nobody answered on ${client.path} within ${OPEN_MS} ms`,
      fix: 'Look whether it is stopped or out of CPU, and try again; nothing was asked of it yet'
    });
  });
  overdue.catch(() => {}); // called off below, when the stream opened in time
  try {
    await Promise.race([opened, overdue]);
  } finally {
    late.abort();
  }
}

/** Whether an order failed in a way that has phases worth waiting for. */
function isDeploy(error: unknown): boolean {
  return HandoverError.is(error) && error.code.startsWith('HANDOVER_ERR_CANDIDATE_') && !error.code.endsWith('_ENTRY');
}
