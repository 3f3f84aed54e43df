import type { IncomingMessage } from 'node:http';

/** Whether its body comes in chunks and is not here yet as a whole: where in a chunk the parser stands, nobody can tell. */
export function isPartOfChunked(request: IncomingMessage): boolean {
  return !request.complete && isChunked(request);
}

/**
 * Writes a request anew as it came: its head, and what of its body has been read. What has not waits in the kernel behind it.
 *
 * Names, values, their order and their case are those that were sent; only blanks around a value are not kept.
 *
 * @returns bytes as latin1
 */
export function writeRequest(request: IncomingMessage): string {
  const body = readBuffered(request);
  return writeHead(request) + (isChunked(request) ? writeChunked(body, request.rawTrailers) : body);
}

/** The head of a request as it came, as latin1. */
export function writeHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  return `${method} ${url} HTTP/${httpVersion}\r\n${writeFields(rawHeaders)}\r\n`;
}

/** Takes all that has been read of a body: from Node 26 on, `read()` gives one part of it after the other. */
function readBuffered(request: IncomingMessage): string {
  const parts: string[] = [];
  for (let part = request.read(); part !== null; part = request.read()) parts.push((part as Buffer).toString('latin1'));
  return parts.join('');
}

function isChunked({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined;
}

function writeChunked(body: string, rawTrailers: readonly string[]): string {
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${chunk}0\r\n${writeFields(rawTrailers)}\r\n`;
}

function writeFields(raw: readonly string[]): string {
  let text = '';
  for (let at = 0; at + 1 < raw.length; at += 2) text += `${raw[at]}: ${raw[at + 1]}\r\n`;
  return text;
}
