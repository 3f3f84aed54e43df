import { connect } from 'node:net';

const QUESTION = 'GET /answer HTTP/1.1\r\nHost: app\r\nx-id: ask\r\nConnection: close\r\n\r\n';

/** Asks on a connection of its own which version answers; null when none does. */
export function ask(port: number, timeoutMs = 2_000): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => resolve(versionIn(text)));
    socket.write(QUESTION);
  });
}

/** The version in a whole answer that says 200, else null. */
export function versionIn(answer: string): string | null {
  if (!answer.startsWith('HTTP/1.1 200') || !answer.includes('answer to ask\n')) return null;
  return /^x-version: (.*)\r$/im.exec(answer)?.[1] ?? null;
}
