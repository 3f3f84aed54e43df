import { styleText } from 'node:util';
import type { Notice } from '../core/state/state.ts';

const COLOURS = { info: 'cyan', warn: 'yellow', error: 'red' } as const;

/** Writes the supervisor's own events: one line each. */
export class Log {
  readonly #to: NodeJS.WriteStream;
  readonly #form: 'pretty' | 'json';

  constructor(to: NodeJS.WriteStream, form: 'pretty' | 'json') {
    this.#to = to;
    this.#form = form;
  }

  write(notice: Notice): void {
    const time = new Date();
    const line =
      this.#form === 'json' ? JSON.stringify({ time: time.toISOString(), ...notice }) : this.#show(time, notice);
    this.#to.write(`${line}\n`);
  }

  #show(time: Date, { level, event, generation, worker, reason, ...extra }: Notice): string {
    const about = worker ?? (generation === undefined ? '' : `generation ${generation}`);
    const details = Object.entries(extra)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
    const clock = this.#paint('dim', time.toTimeString().slice(0, 8));
    const parts = [clock, this.#paint(COLOURS[level], event), about, ...details].filter((part) => part !== '');
    // The last words of a worker are several lines; an event is one.
    const why = reason === undefined ? '' : `: ${reason.trim().replace(/\s*\n\s*/g, ' | ')}`;
    return `${parts.join('  ')}${why}`;
  }

  #paint(style: Parameters<typeof styleText>[0], text: string): string {
    const coloured = this.#to.isTTY === true && this.#to.hasColors();
    return coloured ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** A notice as people and programs read it: times to a tenth of a millisecond. */
export function tidyNotice(notice: Notice): Notice {
  const tidy = ([name, value]: [string, unknown]) => [
    name,
    typeof value === 'number' ? Math.round(value * 10) / 10 : value
  ];
  return Object.fromEntries(Object.entries(notice).map(tidy)) as Notice;
}
