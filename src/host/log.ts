import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Notice } from '../core/model.ts';

const COLOURS = { info: 'cyan', warn: 'yellow', error: 'red' } as const;

/** Writes the supervisor's own events: one line each. */
export class Log {
  readonly #to: Writable;
  readonly #form: 'pretty' | 'json';

  constructor(to: Writable, form: 'pretty' | 'json') {
    this.#to = to;
    this.#form = form;
  }

  write(notice: Notice): void {
    const time = new Date();
    this.#to.write(
      `${this.#form === 'json' ? JSON.stringify({ time: time.toISOString(), ...notice }) : pretty(time, notice)}\n`
    );
  }
}

function pretty(time: Date, { level, event, generation, worker, reason, ...extra }: Notice): string {
  const clock = time.toTimeString().slice(0, 8);
  const about = worker ?? (generation === undefined ? '' : `generation ${generation}`);
  const details = Object.entries(extra)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  const parts = [styleText('dim', clock), styleText(COLOURS[level], event), about, ...details].filter(
    (part) => part !== ''
  );
  const line = reason === undefined ? parts.join('  ') : `${parts.join('  ')}: ${reason}`;
  return line.trimEnd();
}
