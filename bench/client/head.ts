/** The part of a response head that anything here depends on. */
export type ResponseHead = {
  readonly status: number;
  readonly reason: string;
  /** The connection ends with this response, said or implied. */
  readonly close: boolean;
  readonly id: string | null;
  readonly version: string | null;
};

/** How long the body is: a number of bytes, chunked, or (neither) until the connection closes. */
export type Framing = { readonly length: number | null; readonly chunked: boolean };

/** The bytes are not an HTTP/1.1 response. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)(?: ([^\0\r\n]*))?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const KNOWN_FIELDS = ['connection', 'content-length', 'transfer-encoding', 'x-id', 'x-version'] as const;

/** Reads a head, given without its final empty line. @throws ParseError */
export function parseHead(text: string): { head: ResponseHead; framing: Framing } {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status, reason = ''] = STATUS_LINE.exec(first) ?? [];
  if (status === undefined) throw new ParseError(`status line ${JSON.stringify(first.slice(0, 80))}`);
  const fields = parseFields(lines);
  const framing = parseFraming(fields.get('content-length'), fields.get('transfer-encoding'));
  const bodiless = status === '204' || status === '304';
  const head = {
    status: Number(status),
    reason,
    close: CLOSE.test(fields.get('connection') ?? '') || (framing.length === null && !framing.chunked && !bodiless),
    id: fields.get('x-id') ?? null,
    version: fields.get('x-version') ?? null
  };
  return { head, framing };
}

/** Checks one header or trailer line. @throws ParseError */
export function parseField(line: string): { name: string; value: string } {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new ParseError(`header line ${JSON.stringify(line.slice(0, 80))}`);
  return { name: name.toLowerCase(), value };
}

/** Keeps the headers that mean something here; of those, only `connection` may come twice. */
function parseFields(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const { name, value } = parseField(line);
    if (!(KNOWN_FIELDS as readonly string[]).includes(name)) continue;
    const earlier = fields.get(name);
    if (earlier !== undefined && name !== 'connection') throw new ParseError(`two ${name} headers`);
    fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return fields;
}

function parseFraming(length: string | undefined, encoding: string | undefined): Framing {
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked') throw new ParseError(`transfer-encoding ${JSON.stringify(encoding)}`);
    if (length !== undefined) throw new ParseError('both content-length and transfer-encoding');
    return { length: null, chunked: true };
  }
  if (length === undefined) return { length: null, chunked: false };
  if (!/^\d{1,15}$/.test(length)) throw new ParseError(`content-length ${JSON.stringify(length)}`);
  return { length: Number(length), chunked: false };
}
