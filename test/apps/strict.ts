import { type LoadOptions, startLoad } from '../../bench/client/index.ts';
import { Client, type Target } from '../support/http.ts';
import type { Clients, Counts } from './model.ts';

/** For /answer alone: every app of ours has it. */
const ANSWERS = { idle: 12, thinking: 12, busy: 2, fresh: 2, pipelining: 2, halfHead: 3 };
const EVERY = { ...ANSWERS, slow: 4, uploading: 2, streaming: 2 };
const AT_STOP_MS = 1_000;
type Route = 'slow' | 'uploading' | 'streaming';

/** The strict client, on what the app has beside /answer. */
export const strict = (port: number, ...routes: readonly Route[]): Clients => client(port, routes, false);

/** The same, asking a proxy, whose connections to the app are dealt out after the cutover, as all that are kept. */
export const strictBehindProxy = (port: number, ...routes: readonly Route[]): Clients => client(port, routes, true);

function client(port: number, routes: readonly Route[], behindProxy: boolean): Clients {
  const clients = { ...ANSWERS, ...Object.fromEntries(routes.map((route) => [route, EVERY[route]])) };
  const target = { host: '127.0.0.1', port };
  const load = strictLoad({ target, clients }, behindProxy);
  return routes.includes('slow') ? { ...load, atStop: () => askSlowly(target) } : load;
}

/** A request that is in progress when the app is stopped. */
async function askSlowly(target: Target): Promise<Counts> {
  const client = new Client(target);
  try {
    const { status, body } = await client.get(`/slow?ms=${AT_STOP_MS}`, { 'x-id': 'at-the-stop' });
    const right = status === 200 && body === 'answer to at-the-stop\n';
    return {
      requests: 1,
      failed: right ? 0 : 1,
      reconnects: 0,
      examples: right ? [] : [`at the stop: ${status} ${body}`]
    };
  } catch (error) {
    return { requests: 1, failed: 1, reconnects: 0, examples: [`at the stop: ${error}`] };
  } finally {
    client.close();
  }
}

function strictLoad(options: LoadOptions, behindProxy: boolean): Clients {
  const load = startLoad({ busyPauseMs: 5, idleEveryMs: 700, uploadBytes: 300_000, ...options });
  return {
    warm: () => load.warm(),
    expect: (version) => (version === null ? load.expectAnyVersion() : load.expectVersion(version, { behindProxy })),
    answered: (version) => load.counts().perVersion[version] ?? 0,
    async stop() {
      const { sent, failed, reconnects, examples } = await load.stop();
      const causes = Object.entries(reconnects).flatMap(([kind, causes]) =>
        Object.entries(causes).map(([cause, count]) => ({ text: `${kind} reconnected: ${cause}`, count }))
      );
      return {
        requests: sent,
        failed,
        reconnects: causes.reduce((sum, { count }) => sum + count, 0),
        examples: [
          ...examples.map(
            ({ kind, id, url, detail, atMs }) => `${kind} ${id} ${url}: ${detail} (at ${Math.round(atMs)} ms)`
          ),
          ...causes.filter(({ count }) => count > 0).map(({ text, count }) => `${text}, ${count} times`)
        ]
      };
    }
  };
}
