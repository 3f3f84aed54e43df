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

/** Browsers that keep every page they ever had open: whatever its build has made must be there, and of that build. */
export function openPages(port: number): Clients {
  return httpClients('a page that stays open', port, { clients: 3 }, () => {
    const pages = new Map<string, Set<string>>();
    const load = async (client: HttpClient, path: string, made: string) => {
      const { status, body } = await client.get(path);
      if (status !== 200) throw new Error(`${path} of version ${made} answered ${status}`);
      if (!body.includes(`release-${made}`))
        throw new Error(`${path} is not of version ${made}: ${body.slice(0, 200)}`);
      return body;
    };
    return async (client) => {
      const page = await client.get('/');
      const made = /release-(\w+)/.exec(page.body)?.[1] ?? '';
      const assets = pages.get(made) ?? new Set<string>();
      pages.set(made, assets);
      for (const path of assetsIn(page.body)) assets.add(path);
      for (const [version, paths] of pages)
        for (const path of paths) for (const next of assetsIn(await load(client, path, version))) paths.add(next);
      return made;
    };
  });
}

const assetsIn = (text: string) => [...text.matchAll(/assets\/[\w.-]+\.js/g)].map(([path]) => `/${path}`);

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
