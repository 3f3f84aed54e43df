import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Handle, takeHandle } from '../../src/internals/net.ts';
import { acceptPipes, type MessagePipe } from '../../src/internals/pipes.ts';
import { startOneWorker } from '../rig/one-worker.ts';
import { alternate } from '../rig/statistics.ts';

// Both ways to have a worker, by turns, in a process of its own. Its arguments: the preload of the build that is measured,
// the app, and how many pairs. It says what it measured, and leaves; its children with it.

const ECHO = fileURLToPath(new URL('./echo.ts', import.meta.url));
/** How many connections are on their way at a time: as many as the relay lets. */
const WINDOW = 16;
const SLICE_MS = 300;

/** What came out, a figure of each pair: connections a second there and back, and milliseconds from start to ready. */
export interface Measured {
  readonly link: number[];
  readonly fork: number[];
  readonly linkStartMs: number[];
  readonly forkStartMs: number[];
}

const children = new Set<ChildProcess>();

function keep<T extends ChildProcess>(child: T): T {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** A way to send a connection; whoever gets it sends it back. */
interface Way {
  send(handle: Handle): void;
  onBack(handle: Handle): void;
  readonly rates: number[];
}

async function moveConnections(pairs: number): Promise<[link: number[], fork: number[]]> {
  const path = join(tmpdir(), `handover-bench-${process.pid}.link`);
  const arrived = new Promise<MessagePipe>((resolve) => {
    const server = acceptPipes(path, (open) => {
      rmSync(path);
      resolve(open({ onMessage: (_, handle) => handle && link.onBack(handle), onEnd: () => {} }));
    });
    if (typeof server === 'number') throw new Error(`no link: ${server}`);
  });
  const echo = keep(fork(ECHO, [path], { execArgv: ['--import', 'tsx'] }));
  await once(echo, 'message');
  const pipe = await arrived;
  const message = { type: 'move', id: '1.1-1', key: 'tcp://127.0.0.1:8080', fresh: false, pipelines: false };
  const link: Way = {
    send: (handle) => pipe.send(message, handle, () => handle.close()),
    onBack: () => {},
    rates: []
  };
  const channel: Way = {
    send: (handle) => echo.send(message, handle as never, {}, () => handle.close()),
    onBack: () => {},
    rates: []
  };
  echo.on('message', (_, handle) => channel.onBack(handle as unknown as Handle));
  let handles = await openConnections();
  const takeSlice = async (way: Way) => {
    const slice = await circulate(way, handles);
    handles = slice.handles;
    return slice.rate;
  };
  for (const way of [link, channel]) await takeSlice(way); // what is compiled is what is compared
  for (const pair of alternate(link, channel, pairs)) for (const way of pair) way.rates.push(await takeSlice(way));
  for (const handle of handles) handle.close();
  pipe.close();
  await end(echo);
  return [link.rates, channel.rates];
}

/** Server sides of as many connections as are on their way at a time. */
async function openConnections(): Promise<Handle[]> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const handles: Handle[] = [];
  while (handles.length < WINDOW) {
    const accepted = once(server, 'connection');
    connect({ port, host: '127.0.0.1' }).unref();
    const [socket] = await accepted;
    handles.push(takeHandle(socket));
  }
  server.close();
  return handles;
}

/** Sends connections there and back for a while. */
function circulate(way: Way, handles: readonly Handle[]): Promise<{ rate: number; handles: Handle[] }> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const back: Handle[] = [];
    let moved = 0;
    way.onBack = (handle) => {
      moved += 1;
      const ms = performance.now() - startedAt;
      if (ms < SLICE_MS) return way.send(handle);
      back.push(handle);
      if (back.length === handles.length) resolve({ rate: (moved / ms) * 1000, handles: back });
    };
    for (const handle of handles) way.send(handle);
  });
}

/** A worker, from its start until the supervisor hears that it listens. */
async function startWorker(preload: string, app: string): Promise<number> {
  const startedAt = performance.now();
  const ms = await new Promise<number>((resolve, reject) => {
    const worker = startOneWorker({ preload, app, measures: true }, ({ type }) => {
      if (type !== 'listening') return;
      resolve(performance.now() - startedAt);
      void end(worker.child).then(() => worker.close());
    });
    keep(worker.child).once('exit', () => reject(new Error('a worker ended before it listened')));
  });
  return ms;
}

/** The same app by fork, from its start until it says that it listens. */
async function startForked(app: string): Promise<number> {
  const startedAt = performance.now();
  const child = keep(fork(app, { silent: true, execArgv: [], env: { ...process.env, PORT: '0' } }));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('a fork ended before it listened')));
  ended.catch(() => {}); // its end below is no news
  await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  const ms = performance.now() - startedAt;
  await end(child);
  return ms;
}

async function compareStarts(preload: string, app: string, pairs: number): Promise<[link: number[], fork: number[]]> {
  const link = { start: () => startWorker(preload, app), took: [] as number[] };
  const forked = { start: () => startForked(app), took: [] as number[] };
  for (const pair of alternate(link, forked, pairs)) for (const way of pair) way.took.push(await way.start());
  return [link.took, forked.took];
}

function leave(): void {
  for (const child of children) child.kill('SIGKILL');
  process.exit();
}

process.once('disconnect', leave);
process.once('SIGTERM', leave);
const [, , preload = '', app = '', pairs = '1'] = process.argv;
const [link, forked] = await moveConnections(Number(pairs));
const [linkStartMs, forkStartMs] = await compareStarts(preload, app, Number(pairs));
const measured: Measured = { link, fork: forked, linkStartMs, forkStartMs };
process.send?.(measured, leave);
