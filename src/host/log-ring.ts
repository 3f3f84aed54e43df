import type { LogFilter, LogLine } from '../core/log-line.ts';
import type { Notice } from '../core/state/state.ts';

/** However short the lines are: each piece takes memory beside its text. */
const MOST_PIECES = 16_384;

const NEWLINE = 10;

/** What is wanted of a ring. */
export interface LogQuery extends LogFilter {
  /** Not what is older, in milliseconds since the epoch. */
  readonly since?: number;
  /** The last ones only, so many. */
  readonly lines?: number;
}

/** What was written at once: an event, or whole lines of one worker. They are taken apart where somebody wants to read them. */
export interface LogPiece {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly lines: readonly LogLine[];
  isWanted(filter: LogFilter): boolean;
}

/** The last lines of a service, events and workers' output, as long as there is room for them. */
export class LogRing {
  readonly #limitBytes: number;
  readonly #watchers = new Set<(piece: LogPiece) => void>();
  #pieces: Piece[] = [];
  /** Where the oldest piece is. */
  #first = 0;
  #bytes = 0;

  /** @param limitBytes how much text is kept; 0 keeps none */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Keeps lines of a worker, whose bytes nobody changes. */
  output(worker: string, fd: 1 | 2, lines: Buffer): void {
    if (this.#limitBytes === 0 && this.#watchers.size === 0) return;
    this.#add(new OutputPiece(worker, fd, compact(cutTo(lines, this.#limitBytes))));
  }

  /** Keeps an event. */
  event(at: number, notice: Notice): void {
    this.#add(new EventPiece(at, notice));
  }

  /** The last lines, oldest first. */
  last({ since = 0, lines: most = Number.POSITIVE_INFINITY, ...filter }: LogQuery = {}): readonly LogLine[] {
    const found: LogLine[] = [];
    for (let at = this.#pieces.length - 1; at >= this.#first && found.length < most; at -= 1) {
      const piece = this.#pieces[at];
      if (!piece || piece.at < since || !piece.isWanted(filter)) continue;
      for (let { lines } = piece, line = lines.length - 1; line >= 0 && found.length < most; line -= 1) {
        const one = lines[line];
        if (one) found.push(one);
      }
    }
    return found.reverse();
  }

  /** @returns a function that ends it */
  watch(watcher: (piece: LogPiece) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #add(piece: Piece): void {
    this.#pieces.push(piece);
    this.#bytes += piece.bytes;
    while (this.#bytes > this.#limitBytes || this.#pieces.length - this.#first > MOST_PIECES) {
      this.#bytes -= this.#pieces[this.#first]?.bytes ?? 0;
      this.#first += 1;
    }
    if (this.#first > MOST_PIECES / 2) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
    for (const watcher of this.#watchers) watcher(piece);
  }
}

type Piece = LogPiece & { readonly bytes: number };

class EventPiece implements Piece {
  readonly at: number;
  readonly bytes: number;
  readonly #notice: Notice;

  constructor(at: number, notice: Notice) {
    this.at = at;
    this.#notice = notice;
    this.bytes = JSON.stringify(notice).length;
  }

  get lines(): readonly LogLine[] {
    return [{ time: new Date(this.at).toISOString(), ...this.#notice }];
  }

  isWanted({ of, kind }: LogFilter): boolean {
    if (kind === 'output') return false;
    const { worker, generation } = this.#notice;
    return of === undefined || worker === of || String(generation ?? worker?.split('.', 1)[0]) === of;
  }
}

class OutputPiece implements Piece {
  readonly at = Date.now();
  readonly #worker: string;
  readonly #fd: 1 | 2;
  readonly #text: Buffer;

  constructor(worker: string, fd: 1 | 2, text: Buffer) {
    this.#worker = worker;
    this.#fd = fd;
    this.#text = text;
  }

  get bytes(): number {
    return this.#text.length;
  }

  get lines(): readonly LogLine[] {
    const about = {
      time: new Date(this.at).toISOString(),
      generation: generationOf(this.#worker),
      worker: this.#worker,
      stream: this.#fd === 1 ? 'stdout' : 'stderr'
    } as const;
    const lines = this.#text.toString().replace(/\n$/, '').split('\n');
    return lines.map((line) => ({ ...about, line }));
  }

  isWanted({ of, kind }: LogFilter): boolean {
    if (kind === 'events') return false;
    return of === undefined || this.#worker === of || String(generationOf(this.#worker)) === of;
  }
}

/** `7.2` is the second worker of generation 7. */
function generationOf(worker: string): number {
  return Number.parseInt(worker, 10);
}

/** A part of a larger buffer would keep all of it. */
function compact(lines: Buffer): Buffer {
  return lines.length * 2 < lines.buffer.byteLength ? Buffer.from(lines) : lines;
}

/** The last whole lines that have room. */
function cutTo(lines: Buffer, limitBytes: number): Buffer {
  if (lines.length <= limitBytes || limitBytes === 0) return lines;
  const end = lines.subarray(-limitBytes);
  const first = end.indexOf(NEWLINE);
  return first < 0 || first === end.length - 1 ? end : end.subarray(first + 1);
}
