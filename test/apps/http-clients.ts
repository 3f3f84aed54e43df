import { createHash, randomBytes } from 'node:crypto';
import { type Answer, Client as HttpClient } from '../support/http.ts';
import { type LoopOptions, loops } from './loops.ts';
import type { Clients } from './model.ts';

type Ask = (client: HttpClient, reconnected: (why: string) => void) => Promise<string>;

/** Kept-alive clients of a server whose answers cannot carry what the strict client sends. */
export function httpClients(name: string, port: number, options: LoopOptions, makeAsk: () => Ask): Clients {
  return loops(name, options, (reconnected) => {
    const client = new HttpClient({ host: '127.0.0.1', port });
    const ask = makeAsk();
    let sockets = 1;
    return {
      async ask() {
        const version = await ask(client, reconnected);
        for (; sockets < client.sockets; sockets++) reconnected('the connection was closed');
        return version;
      },
      end: () => client.close()
    };
  });
}

/** Asks for one page again and again, and reads the version in the answer. */
export function pages(name: string, port: number, path: string, versionIn: (answer: Answer) => string): Clients {
  return httpClients(name, port, { clients: 5 }, () => async (client) => {
    const answer = await client.get(path);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    return versionIn(answer);
  });
}

/** Visitors with a cookie, who notice when they are strangers again. */
export function visitors(port: number, options: LoopOptions): Clients {
  return httpClients('a visitor', port, options, () => {
    let [cookie, visits] = ['', 0];
    return async (client, reconnected) => {
      const answer = await client.get('/visits', cookie === '' ? {} : { cookie });
      if (answer.status !== 200) throw new Error(`/visits answered ${answer.status}: ${answer.body.slice(0, 200)}`);
      const seen = (JSON.parse(answer.body) as { visits: number }).visits;
      if (seen === 1 && visits > 0) reconnected('the session was unknown');
      else if (seen !== visits + 1) throw new Error(`visit ${visits + 1} was counted as ${seen}`);
      visits = seen;
      cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie;
      return answer.version;
    };
  });
}

/** Forms with a file in them. */
export function formUploads(port: number): Clients {
  const boundary = 'a-boundary';
  return httpClients('a form', port, { clients: 2 }, () => async (client) => {
    const content = randomBytes(30_000).toString('hex');
    const field = `--${boundary}\r\ncontent-disposition: form-data; name="name"\r\n\r\nreport\r\n`;
    const head = 'content-disposition: form-data; name="file"; filename="report.txt"\r\ncontent-type: text/plain';
    const body = `${field}--${boundary}\r\n${head}\r\n\r\n${content}\r\n--${boundary}--\r\n`;
    const type = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    const answer = await client.send('POST', '/files', type, body);
    const wanted = JSON.stringify({ name: 'report', sha256: createHash('sha256').update(content).digest('hex') });
    if (answer.body !== wanted) throw new Error(`/files answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    return answer.version;
  });
}
