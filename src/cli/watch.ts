import { ControlClient } from '../control/client.ts';
import type { ServiceEvent } from '../control/routes.ts';
import type { Status } from '../core/status.ts';
import { drawOver, type Io } from './io.ts';
import { showChange, showStatus } from './view.ts';

/** How often the picture on a terminal is drawn again without any event. */
const REDRAW_MS = 1_000;
/** How long after a status that failed the stream of events may still tell that the supervisor has stopped. */
const LAST_NEWS_MS = 500;

/**
 * Shows a status again and again, until the supervisor ends or nobody reads any more.
 *
 * On a terminal one picture is redrawn on each event and each second; elsewhere each event gives one line, or with
 * `json` one object.
 *
 * @throws HANDOVER_ERR_CONTROL_UNREACHABLE
 */
export async function watch(socket: string, io: Io, json: boolean): Promise<void> {
  const client = new ControlClient(socket);
  const events = new ControlClient(socket);
  const end = new AbortController();
  const leave = () => end.abort();
  const print = createPrinter(io, json);
  let stopped = false;
  const failures: unknown[] = [];
  let printing = Promise.resolve();
  // One after another, so that the lines come in the order of the events.
  const printNow = () => {
    printing = printing
      .then(async () => {
        if (!stopped && !end.signal.aborted) print(await client.status());
      })
      .catch((error) => {
        failures.push(error);
        // It may just have stopped, and the news of that be on its way.
        setTimeout(leave, LAST_NEWS_MS).unref();
      });
  };
  const onEvent = ({ event }: ServiceEvent) => {
    stopped ||= event === 'stopped';
    if (!stopped) printNow();
  };
  io.unread.addEventListener('abort', leave);
  process.once('SIGINT', leave);
  const clock = io.terminal && !json ? setInterval(printNow, REDRAW_MS) : undefined;
  try {
    await events.follow(onEvent, printNow, end.signal);
    await printing;
    if (stopped && !json) io.out('The supervisor has stopped.');
    if (!stopped && failures.length > 0) throw failures[0];
  } finally {
    clearInterval(clock);
    process.off('SIGINT', leave);
    await Promise.all([client.close(), events.close()]);
  }
}

function createPrinter(io: Io, json: boolean): (status: Status) => void {
  if (json) return (status) => io.out(JSON.stringify(status));
  if (io.terminal) return (status) => drawOver(showStatus(status, io.paint), io);
  let last = '';
  return (status) => {
    const change = showChange(status);
    // Statuses asked for after a burst of events may all be the same.
    if (change !== last) io.out(`${new Date().toTimeString().slice(0, 8)}  ${change}`);
    last = change;
  };
}
