import type { IncomingMessage } from 'node:http';

/**
 * Writes the head of a request as it came, for another process that is to read it again.
 *
 * @param instead headers by their names in lower case, in the place of its own
 * @returns latin1
 */
export function requestHead(
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  instead: Readonly<Record<string, string>> = {}
): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    if (instead[name.toLowerCase()] === undefined) lines.push(`${name}: ${value}`);
  }
  for (const [name, value] of Object.entries(instead)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The value of a header in a head, in lower case and without spaces; empty where it is not there. */
export function headerOf(head: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'im').exec(head)?.[1]?.replace(/\s/g, '').toLowerCase() ?? '';
}

/** Whether the head of an answer has this status. */
export function hasStatus(head: string, status: number): boolean {
  return new RegExp(`^HTTP/1\\.1 ${status}(?: |\r|$)`).test(head);
}
