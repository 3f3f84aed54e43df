import { styleText } from 'node:util';
import type { Notice } from '../core/state/state.ts';
import type { Options } from '../options/options.ts';
import { LogFile } from './log-file.ts';
import { LogRing } from './log-ring.ts';

const COLOURS = { info: 'cyan', warn: 'yellow', error: 'red' } as const;

/** An event that nobody has read by then is not written to stderr: memory is not unlimited. */
const UNREAD_BYTES = 1024 * 1024;

type LogOptions = Pick<Options, 'log' | 'logBuffer' | 'logFile' | 'logSize' | 'logKeep'>;

/** Where the output of a worker goes. */
export interface OutputTarget {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** What each line begins with there. */
  readonly lead: string;
  /** Gets all lines as they were written, in the order in which they were read. */
  readonly hear: (fd: 1 | 2, lines: Buffer) => void;
}

/** Everything that a service says: events of the supervisor, one line each, and what its workers write. */
export class Log {
  /** The last of it. */
  readonly ring: LogRing;
  readonly #to: NodeJS.WriteStream;
  readonly #form: 'pretty' | 'json';

  readonly #file: LogFile | null;
  readonly #fileForm: 'pretty' | 'json';

  /**
   * @param warn called where the log file cannot be written, and when it can again
   * @throws HANDOVER_ERR_OPTION_INVALID where the log file cannot be written
   */
  constructor(options: LogOptions, warn: (notice: Notice) => void) {
    const { log, logBuffer, logFile: path, logSize: limitBytes, logKeep: keep } = options;
    this.#to = process.stderr;
    this.#form = log ?? (process.stderr.isTTY ? 'pretty' : 'json');
    this.#fileForm = log ?? 'json';
    this.ring = new LogRing(logBuffer);
    // Not in the middle of a line that is written.
    const say = (notice: Notice) => setImmediate(() => warn(notice));
    const onFailed = (reason: string) => say({ level: 'error', event: 'log-file-failed', reason });
    const onMended = (lost: number) => say({ level: 'info', event: 'log-file-mended', lost });
    this.#file = path === null ? null : new LogFile({ path, limitBytes, keep, onFailed, onMended });
  }

  /** Opens the log file that is at its path now. Without one, undefined. */
  get reopen(): (() => void) | undefined {
    const file = this.#file;
    return file ? () => file.reopen() : undefined;
  }

  /** Where a worker's lines go. */
  outputOf(worker: string): OutputTarget {
    const { stdout, stderr } = process;
    const lead = stdout.isTTY && this.#form === 'pretty' ? `${worker} | ` : '';
    return { stdout, stderr, lead, hear: (fd, lines) => this.#hear(worker, fd, lines) };
  }

  write(notice: Notice): void {
    const time = new Date();
    this.ring.event(time.getTime(), notice);
    const write = (form: 'pretty' | 'json', paint: Paint) =>
      form === 'json' ? JSON.stringify({ time: time.toISOString(), ...notice }) : show(time, notice, paint);
    this.#file?.write(Buffer.from(`${write(this.#fileForm, plain)}\n`));
    if (this.#to.writableLength < UNREAD_BYTES) this.#to.write(`${write(this.#form, this.#paint)}\n`);
  }

  #hear(worker: string, fd: 1 | 2, lines: Buffer): void {
    this.ring.output(worker, fd, lines);
    if (!this.#file) return;
    if (this.#fileForm === 'json') return this.#file.write(lines);
    const lead = `${clockOf(new Date())}  ${worker} | `;
    const all = lines.toString().replace(/\n$/, '').split('\n');
    this.#file.write(Buffer.from(all.map((line) => `${lead}${line}\n`).join('')));
  }

  readonly #paint: Paint = (style, text) => {
    const coloured = this.#to.isTTY === true && this.#to.hasColors();
    return coloured ? styleText(style, text, { validateStream: false }) : text;
  };
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

const plain: Paint = (_style, text) => text;

function clockOf(time: Date): string {
  return time.toTimeString().slice(0, 8);
}

function show(time: Date, { level, event, generation, worker, reason, ...extra }: Notice, paint: Paint): string {
  const about = worker ?? (generation === undefined ? '' : `generation ${generation}`);
  const details = Object.entries(extra)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  const clock = paint('dim', clockOf(time));
  const parts = [clock, paint(COLOURS[level], event), about, ...details].filter((part) => part !== '');
  // The last words of a worker are several lines; an event is one.
  const why = reason === undefined ? '' : `: ${reason.trim().replace(/\s*\n\s*/g, ' | ')}`;
  return `${parts.join('  ')}${why}`;
}

/** A notice as people and programs read it: times to a tenth of a millisecond. */
export function tidyNotice(notice: Notice): Notice {
  const tidy = ([name, value]: [string, unknown]) => [
    name,
    typeof value === 'number' && name !== 'share' ? Math.round(value * 10) / 10 : value
  ];
  return Object.fromEntries(Object.entries(notice).map(tidy)) as Notice;
}
