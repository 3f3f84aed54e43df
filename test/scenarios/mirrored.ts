import { Talk } from './raw.ts';
import type { TestService } from './service.ts';

// What clients may send, and what the app `mirror.mjs` says that it has seen of it.

/** What brings a request to the canary, where that is started with `CANARY`. */
export const TO = 'x-side: canary\r\n';
export const CANARY = 'header:x-side=canary';

/** What the app has seen of a request. */
export interface Mirrored {
  readonly version: string;
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly body: string;
}

/** Sends parts of requests, each by itself, and reads so many answers. */
export async function ask(port: number, parts: readonly string[], answers = 1, pauseMs = 30): Promise<Mirrored[]> {
  const talk = await Talk.open(port);
  try {
    for (const [index, part] of parts.entries()) {
      if (index > 0) await pause(pauseMs);
      talk.send(Buffer.from(part, 'latin1'));
    }
    const seen: Mirrored[] = [];
    while (seen.length < answers) seen.push(read((await talk.answer()).body));
    return seen;
  } finally {
    talk.close();
  }
}

export const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** What the app has seen, without what differs each time. */
export function read(body: string): Mirrored {
  const { pid: _, ...seen } = JSON.parse(Buffer.from(body, 'latin1').toString()) as Mirrored & { pid: number };
  return seen;
}

/** The names and values of header lines as they were written. */
export function rawOf(fields: string): string[] {
  const lines = fields.split('\r\n').filter((line) => line !== '');
  return lines.flatMap((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at), line.slice(at + 1).trim()];
  });
}

/** What the canary has to see of a request. */
export function seenOf(first: string, fields: string, body = '', trailers = ''): Mirrored {
  const [method = '', url = '', protocol = ''] = first.split(' ');
  return {
    ...{ version: '2', method, url, httpVersion: protocol.slice('HTTP/'.length) },
    ...{ rawHeaders: rawOf(fields), rawTrailers: rawOf(trailers), body }
  };
}

/** How often requests were answered where they were, by reason. */
export async function unrouted(service: TestService): Promise<Record<string, number>> {
  const { active, candidate } = await service.client.status();
  const all: Record<string, number> = {};
  for (const worker of [...(active?.workers ?? []), ...(candidate?.workers ?? [])])
    for (const [why, count] of Object.entries(worker.unrouted ?? {})) all[why] = (all[why] ?? 0) + count;
  return all;
}

export const HOST = `host: a\r\n${TO}`;
export const ODD = `HOST: a\r\n${TO}X-Twice: 1\r\nx-twice: 2\r\nCookie: a=1\r\nCOOKIE: b=2\r\nX-Empty: \r\nReferer: 1\r\nReferer: 2\r\nProxy-Connection: keep-alive\r\nX-Latin: caf\xe9\r\nPragma: no-cache\r\n`;
export const LONG =
  HOST + Array.from({ length: 15 }, (_, index) => `x-${index}: ${'0123456789'.repeat(100)}\r\n`).join('');
export const BODY = 'b\x00\xff\r\n'.repeat(500);
export const SIZED = `${HOST}Content-Length: ${BODY.length}\r\n`;
export const CHUNKED = `${HOST}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n`;
export const TRAILERS = 'X-Sum: 1\r\nx-SUM: 2\r\n';

/** A body in two chunks, with an extension, and trailers. */
export const chunks = (body: string) =>
  `${(7).toString(16)};a=b\r\n${body.slice(0, 7)}\r\n${(body.length - 7).toString(16)}\r\n${body.slice(7)}\r\n0\r\n${TRAILERS}\r\n`;
