import { ControlClient } from '../control/client.ts';
import type { Status } from '../core/status.ts';
import type { Io } from './io.ts';
import { showChange, showStatus } from './view.ts';

/** How often the picture on a terminal is drawn again without any event. */
const REDRAW_MS = 1_000;

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
  const live = io.terminal && !json;
  const print = (status: Status) => {
    if (json) io.out(JSON.stringify(status));
    else if (live) draw(showStatus(status, io.paint), io);
    else {
      const change = showChange(status);
      // Statuses asked for after a burst of events may all be the same.
      if (change !== last) io.out(`${new Date().toTimeString().slice(0, 8)}  ${change}`);
      last = change;
    }
  };
  let last = '';
  let ended = false;
  let failure: { error: unknown } | null = null;
  let printing = Promise.resolve();
  // One after another, so that the lines come in the order of the events.
  const printNow = () => {
    printing = printing
      .then(async () => {
        if (!end.signal.aborted) print(await client.status());
      })
      .catch((error) => {
        // A supervisor that has said it stopped need not answer any more.
        if (!ended) failure ??= { error };
        end.abort();
      });
  };
  const leave = () => end.abort();
  io.unread.addEventListener('abort', leave);
  process.once('SIGINT', leave);
  const clock = live ? setInterval(printNow, REDRAW_MS) : undefined;
  try {
    await events.follow(
      ({ event }) => {
        ended ||= event === 'stopped';
        if (!ended) printNow();
      },
      printNow,
      end.signal
    );
    ended = true;
    await printing;
    if (failure) throw (failure as { error: unknown }).error;
    if (!json && !end.signal.aborted) io.out('The supervisor has stopped.');
  } finally {
    clearInterval(clock);
    process.off('SIGINT', leave);
    await Promise.all([client.close(), events.close()]);
  }
}

/** Draws over the last picture instead of clearing the screen first: that would flicker. */
function draw(picture: string, io: Io): void {
  const lines = picture.split('\n').map((line) => `${line}\x1b[K\n`);
  io.draw(`\x1b[H${lines.join('')}\x1b[J`);
}
