import type uPlot from 'uplot';
import type { Point } from '../recorder.ts';
import { find } from './elements.ts';

/** Loaded before this file, from this address. */
declare const window: Window & { readonly uPlot: typeof uPlot };

interface Line {
  readonly label: string;
  readonly colour: string;
  readonly of: (point: Point) => number | null;
}

const KEPT = 15 * 60;
const HEIGHT = 180;

const LINES: Readonly<Record<string, readonly Line[]>> = {
  rate: [{ label: 'requests/s', colour: '--strong', of: ({ requests }) => requests }],
  latency: [
    { label: 'p50 ms', colour: '--good', of: ({ p50Ms }) => p50Ms },
    { label: 'p99 ms', colour: '--warn', of: ({ p99Ms }) => p99Ms }
  ],
  errors: [{ label: 'errors/s', colour: '--bad', of: ({ errors }) => errors }]
};

/** Three pictures of the last 15 minutes. */
export class Charts {
  #points: Point[] = [];
  #plots = new Map<string, uPlot>();

  constructor() {
    this.#draw();
    new ResizeObserver(() => this.#resize()).observe(find('rate'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Begins anew: these points are all there are. */
  set(points: readonly Point[]): void {
    this.#points = [...points];
    this.#show();
  }

  add(point: Point): void {
    this.#points.push(point);
    if (this.#points.length > KEPT) this.#points.shift();
    this.#show();
  }

  #draw(): void {
    for (const plot of this.#plots.values()) plot.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    this.#plots = new Map(
      Object.entries(LINES).map(([id, lines]) => {
        const place = find(id);
        const series = lines.map((line) => ({
          label: line.label,
          stroke: colour(line.colour),
          width: 1.5,
          spanGaps: false
        }));
        const options: uPlot.Options = {
          width: Math.max(200, place.clientWidth),
          height: HEIGHT,
          scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most ?? 1) * 1.1] } },
          axes: [axis, { ...axis, size: 52 }],
          series: [{}, ...series],
          cursor: { drag: { x: false, y: false } }
        };
        return [id, new window.uPlot(options, this.#dataOf(lines), place)];
      })
    );
  }

  #show(): void {
    for (const [id, plot] of this.#plots) plot.setData(this.#dataOf(LINES[id] ?? []));
    const last = this.#points.at(-1);
    if (!last) return;
    const latency = last.p99Ms === null ? 'nothing was asked for' : `p50 ${last.p50Ms} ms, p99 ${last.p99Ms} ms`;
    find('rate-caption').textContent = `Requests a second: ${last.requests}`;
    find('latency-caption').textContent = `Latency: ${latency}`;
    const errors = this.#points.reduce((sum, point) => sum + point.errors, 0);
    find('errors-caption').textContent = `Errors a second: ${last.errors}; ${errors} in all`;
  }

  #dataOf(lines: readonly Line[]): uPlot.AlignedData {
    return [this.#points.map(({ at }) => at), ...lines.map(({ of }) => this.#points.map(of))];
  }

  #resize(): void {
    for (const [id, plot] of this.#plots) plot.setSize({ width: Math.max(200, find(id).clientWidth), height: HEIGHT });
  }
}
