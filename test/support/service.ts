import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Service, SuperviseOptions } from 'handover';
import { atEnd } from './end.ts';
import { Client, type Target, toTarget } from './http.ts';
import { inTime, isAlive, until } from './wait.ts';

/** One line of what the service told. */
export interface Told {
  readonly event: string;
  readonly level: string;
  readonly [detail: string]: unknown;
}

/** A supervised service of a test, in a folder of its own. It ends with the test. */
export interface Supervised {
  readonly service: Service;
  readonly folder: string;
  /** Every event so far. */
  readonly told: readonly Told[];
  /** What the apps wrote to the journal, line by line. */
  journal(): string[];
  /** Waits for an event, one of the past included. */
  event(name: string, fits?: (told: Told) => boolean): Promise<Told>;
  /** Says what the next generation will call itself: `x-version`. */
  release(version: string): void;
  /** Where the service answers; the first of its addresses. */
  target(index?: number): Target;
  /** A kept-alive client of an address, by its number or as it is; closed at the end of the test. */
  client(where?: number | Target): Client;
  /** Waits until so many addresses are bound, and names them. */
  bound(count: number): Promise<readonly string[]>;
  /** The pids of every worker there is. */
  pids(): Promise<number[]>;
}

/** The path of one of the apps in `test/fixtures/apps`. */
export function app(name: string): string {
  return fileURLToPath(new URL(`../fixtures/apps/${name}`, import.meta.url));
}

/** A folder that is removed at the end of the test. */
export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'handover-test-'));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Below those that outgoing connections get, and many: other tests run at the same time, and choose from them too. */
const PORTS = { from: 20_000, to: 32_000 };
/** No port is given twice: whoever has it may not listen on it yet. */
const given = new Set<number>();

/** A port that nobody listens on, of those that the tests may use. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 500; tries += 1) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (given.has(port) || !(await isFree(port, '::')) || !(await isFree(port, '127.0.0.1'))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port from ${PORTS.from} to ${PORTS.to} is free`);
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((done) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
    );
    server.listen(port, host, () => server.close(() => done(true)));
  });
}

/** What the apps are started with: nothing of the test runner, nothing of the loader that it runs with. */
function makeEnvironment(folder: string, extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, PORT: _port, ...rest } = process.env;
  return { ...rest, VERSION_FILE: join(folder, 'version'), JOURNAL: join(folder, 'journal'), ...extra };
}

/**
 * Supervises one of the apps: on a port of the system's choice, unless `listen` says otherwise.
 *
 * What the supervisor logs is kept, and warnings are shown when a test has failed.
 */
export async function startService(
  t: TestContext,
  name: string,
  options: Omit<SuperviseOptions, 'entry'> = {}
): Promise<Supervised> {
  const { supervise } = await load();
  const folder = makeFolder(t);
  const release = (version: string) => writeFileSync(join(folder, 'version'), version);
  release('1');
  process.execArgv = []; // the loader of this test file is not the app's
  muffle();
  const clients: Client[] = [];
  const told: Told[] = [];
  const news = new EventEmitter();
  const service = await supervise({
    entry: app(name),
    listen: '127.0.0.1:0',
    socket: join(folder, 'control.sock'),
    signals: false,
    log: 'json',
    drainTimeout: '10s',
    orphanTimeout: '1s',
    ...options,
    env: makeEnvironment(folder, options.env ?? {})
  });
  service.on('event', (notice: unknown) => {
    told.push(notice as Told);
    news.emit('told');
  });
  const pids = async () => {
    const { active, standby, candidate, retiring } = await service.status();
    const generations = [active, standby, candidate, ...retiring].filter((one) => one !== null);
    return generations.flatMap(({ workers }) => workers.flatMap(({ pid }) => (pid === null ? [] : [pid])));
  };
  atEnd(t, async () => {
    const left = await pids();
    for (const client of clients) client.close();
    await inTime(service.close(), 'the end of the service');
    const alive = left.filter(isAlive);
    if (alive.length > 0) throw new Error(`workers outlived their service: ${alive.join(', ')}`);
  });
  const target = (index = 0) => toTarget(service.addresses[index] ?? '');
  return {
    service,
    folder,
    told,
    release,
    target,
    pids,
    journal: () => readJournal(folder),
    bound: (count) =>
      until(() => service.addresses.length === count && service.addresses, `${count} addresses to be bound`),
    client: (where = 0) => {
      const client = new Client(typeof where === 'number' ? target(where) : where);
      clients.push(client);
      return client;
    },
    event: (event, fits = () => true) => {
      const found = () => told.find((one) => one.event === event && fits(one));
      return inTime(
        new Promise((done) => {
          const look = () => {
            const one = found();
            if (one) done(one);
            else news.once('told', look);
          };
          look();
        }),
        () => `the event "${event}"; there were: ${told.map((one) => one.event).join(', ')}`
      );
    }
  };
}

function readJournal(folder: string): string[] {
  const path = join(folder, 'journal');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

/**
 * The same app under plain `node`, on a free port if the environment names none.
 *
 * @param found where it answers, if that is neither SOCKET_PATH nor PORT on 127.0.0.1
 */
export async function startPlain(t: TestContext, name: string, environment: NodeJS.ProcessEnv = {}, found?: Target) {
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'version'), '1');
  const port = await freePort();
  const env = makeEnvironment(folder, { PORT: String(port), ...environment });
  const child = spawn(process.execPath, [app(name)], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal);
    await inTime(exited, `the end of ${name}`);
  };
  atEnd(t, () => stop());
  const path = environment.SOCKET_PATH;
  const usual: Target = path === undefined ? { host: '127.0.0.1', port: Number(env.PORT) } : { socketPath: path };
  const target = found ?? usual;
  await until(
    async () => {
      if (child.exitCode !== null)
        throw new Error(`${name} exited with ${child.exitCode} before it listened:\n${stderr}`);
      return isReached(target);
    },
    `${name} under plain node to listen on ${JSON.stringify(target)}`
  );
  return { target, pid: child.pid ?? 0, folder, stop, journal: () => readJournal(folder), errors: () => stderr };
}

/** Waits until somebody accepts connections there. */
export async function answers(target: Target): Promise<void> {
  await until(() => isReached(target), `somebody to accept on ${JSON.stringify(target)}`);
}

function isReached(target: Target): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect('socketPath' in target ? { path: target.socketPath } : target);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

let logged: string[] | null = null;

/** Keeps the log off the test's stderr: what is more than news is shown at the end, if the tests have failed. */
function muffle(): void {
  if (logged) return;
  const lines: string[] = [];
  logged = lines;
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (chunk: string | Uint8Array) => {
    lines.push(String(chunk));
    return true;
  };
  process.once('exit', (code) => {
    if (code !== 0) write(lines.filter((line) => !line.includes('"level":"info"')).join(''));
  });
}

/** The built package, by its name: a build going on beside the tests is waited for. */
async function load(): Promise<typeof import('handover')> {
  const preload = fileURLToPath(new URL('../../dist/preload.cjs', import.meta.url));
  await until(() => existsSync(preload), 'dist/: run `npm run build` first');
  return import('handover');
}
