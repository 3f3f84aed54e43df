import { once } from 'node:events';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where a command prints. Commands know nothing else of the process they run in. */
export interface Io {
  /** Prints a line, or several, on stdout. */
  out(text: string): void;
  /** Writes to stdout as it is: for lines that are redrawn. */
  draw(text: string): void;
  err(text: string): void;
  /** Settles when stdout takes more, or nobody reads it any more. */
  drained(): Promise<void>;
  /** Whether a person watches stdout, so that lines may be redrawn. */
  readonly terminal: boolean;
  readonly columns: () => number;
  /** Colours a text for stdout, where colours are wanted. */
  readonly paint: (style: Style, text: string) => string;
  /** The same for stderr. */
  readonly paintError: (style: Style, text: string) => string;
  /** Aborted when nobody reads stdout any more (`handover status --watch | head -1`). */
  readonly unread: AbortSignal;
}

export function createIo(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Io {
  const unread = new AbortController();
  stdout.on('error', () => unread.abort());
  // Output that nobody can take (a closed pipe, a terminal that is gone, a full disk) is lost; the service is not.
  stderr.on('error', () => {});
  return {
    out: (text) => void stdout.write(`${text}\n`),
    draw: (text) => void stdout.write(text),
    drained: async () => {
      if (!stdout.writableNeedDrain || unread.signal.aborted) return;
      await once(stdout, 'drain', { signal: unread.signal }).catch(() => {}); // nobody reads any more
    },
    err: (text) => void stderr.write(`${text}\n`),
    terminal: stdout.isTTY === true && process.env.TERM !== 'dumb',
    columns: () => stdout.columns || 80,
    paint: painter(stdout),
    paintError: painter(stderr),
    unread: unread.signal
  };
}

/** Colours only on a terminal that has them and whose user wants them: `hasColors` honours NO_COLOR. */
function painter(stream: NodeJS.WriteStream): Io['paint'] {
  const coloured = stream.isTTY === true && stream.hasColors();
  return (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text);
}

/** Draws over the last picture instead of clearing the screen first: that would flicker. */
export function drawOver(picture: string, io: Io): void {
  io.draw(`\x1b[H${picture.replaceAll('\n', '\x1b[K\n')}\x1b[K\n\x1b[J`);
}
