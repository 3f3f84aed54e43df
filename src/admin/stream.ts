import type { ServerResponse } from 'node:http';
import type { EventLine, LogLine, OutputLine } from '../core/log-line.ts';
import type { HistoryEntryStatus, Status } from '../core/status.ts';
import { percentile } from '../core/verdict/statistics.ts';
import type { AdminPorts, Beat } from './admin-ports.ts';
import { spread } from './counted-histogram.ts';
import type { Point, Recorder } from './recorder.ts';

/** So many pages may be open at once. */
const MOST_VIEWERS = 20;
/** What a page may have unread before it is let go of: it connects again. */
const UNREAD_BYTES = 1024 * 1024;
const KEPT_EVENTS = 200;
/** So many lines of workers are shown in a second: nobody reads more. */
const MOST_LINES = 200;

/** What the page is told, each second and whenever something happens. */
export class Stream {
  readonly #ports: AdminPorts;
  readonly #recorder: Recorder;
  readonly #takesOrders: boolean;
  readonly #viewers = new Set<ServerResponse>();
  readonly #events: EventLine[] = [];
  /** What workers have written in this second, while somebody looks. */
  #output: OutputLine[] = [];
  #leftOut = 0;
  #unwatch: (() => void) | null = null;
  /** p99 of the delay of each worker's event loop over the last second, in milliseconds. */
  readonly #loops = new Map<string, number>();
  #asking = false;
  #history = '';

  constructor(ports: AdminPorts, recorder: Recorder, takesOrders: boolean) {
    this.#ports = ports;
    this.#recorder = recorder;
    this.#takesOrders = takesOrders;
  }

  get isFull(): boolean {
    return this.#viewers.size >= MOST_VIEWERS;
  }

  /** Answers with a stream that lasts until the page is closed. */
  open(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    const { app, version, logs } = this.#ports;
    const output = logs.last({ kind: 'output', lines: MOST_LINES });
    const kept = { points: this.#recorder.points, events: this.#events, output };
    const hello = { app, version, takesOrders: this.#takesOrders, ...kept };
    write(response, 'hello', hello);
    this.#history = '';
    this.#viewers.add(response);
    this.#unwatch ??= logs.watch(({ lines }) => this.#takeLines(lines));
    response.once('close', () => this.#leave(response));
    void this.#tellStatus();
  }

  /** Something has happened: the page shows it at once. */
  takeEvent(event: EventLine): void {
    this.#events.push(event);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    this.#tell('log', event);
    void this.#tellStatus();
  }

  takeBeat({ id, loop }: Beat): void {
    if (this.#viewers.size === 0) return;
    this.#loops.set(id, percentile(spread(loop), 0.99) ?? 0);
  }

  /** A second is over. */
  takePoint(point: Point): void {
    this.#tell('point', point);
    if (this.#output.length > 0) this.#tell('output', { lines: this.#output, leftOut: this.#leftOut });
    this.#output = [];
    this.#leftOut = 0;
    void this.#tellStatus();
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.destroy();
  }

  #takeLines(lines: readonly LogLine[]): void {
    const written = lines.filter((line): line is OutputLine => 'stream' in line);
    const room = MOST_LINES - this.#output.length;
    this.#output.push(...written.slice(0, room));
    this.#leftOut += Math.max(0, written.length - room);
  }

  #leave(viewer: ServerResponse): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    this.#loops.clear();
    this.#unwatch?.();
    this.#unwatch = null;
  }

  /** Workers are asked for their numbers only while somebody looks. */
  async #tellStatus(): Promise<void> {
    if (this.#viewers.size === 0 || this.#asking) return;
    this.#asking = true;
    try {
      const { history, ...status }: Status = await this.#ports.status();
      const workers = [status.active, status.standby, status.candidate, ...status.retiring].flatMap(
        (one) => one?.workers ?? []
      );
      for (const id of this.#loops.keys()) if (!workers.some((worker) => worker.id === id)) this.#loops.delete(id);
      const loops = Object.fromEntries(this.#loops);
      this.#tell('status', { ...status, loops, readiness: this.#ports.readiness() });
      const shown = history.map(tell);
      const text = JSON.stringify(shown);
      if (text !== this.#history) this.#tell('history', shown);
      this.#history = text;
    } finally {
      this.#asking = false;
    }
  }

  #tell(event: string, data: object): void {
    for (const viewer of this.#viewers) {
      if (viewer.writableLength > UNREAD_BYTES) viewer.destroy();
      else write(viewer, event, data);
    }
  }
}

/** A generation of the history, without the figures of its verdict, which would be sent again each second. */
function tell({ verdict, ...entry }: HistoryEntryStatus) {
  return { ...entry, verdict: verdict && { decision: verdict.decision, reason: verdict.reason } };
}

function write(response: ServerResponse, event: string, data: object): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
