import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { answers, freePort } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { install } from './install.ts';
import type { App, Clients, Counts, Place } from './model.ts';
import { Processes } from './processes.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
/**
 * So long each version is loaded, at the least, and until each kind of client has had so many answers of it. Connections that are
 * used move within 2 s (`ramp`): each client is to meet each version.
 */
const LOADED_MS = 2_500;
const ANSWERS = 10;
const VERSIONS = ['1', '2', '3', '4'] as const;
/** How much of what a supervisor and its app said is shown. */
const LINES = 15;
/** Time for a request to arrive before the stop. */
const BEFORE_STOP_MS = 200;

export type Result = Counts & { readonly skipped: string | null };

/** Runs one app through its reloads, a rollback and a stop, under load. Nothing that it starts is left. */
export async function runRow(app: App, timeoutMs: number, stopped: AbortSignal): Promise<Result> {
  const missing = app.missing?.() ?? null;
  if (missing !== null) return skip(missing);
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'handover-apps-')));
  const runtime = join(scratch, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const processes = new Processes({ XDG_RUNTIME_DIR: runtime });
  const limit = AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]);
  const over = new Promise<never>((_, fail) => {
    limit.addEventListener('abort', () => {
      fail(new Error(stopped.aborted ? 'it was broken off' : `it took longer than ${timeoutMs / 1000} s`));
    });
  });
  const deployed = deploy(app, join(scratch, 'app'), processes);
  try {
    return await Promise.race([deployed, over]);
  } finally {
    await processes.end('the row is over');
    await deployed.catch(() => {}); // told by the race already, or the consequence of what the race told
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function deploy(app: App, folder: string, processes: Processes): Promise<Result> {
  const lacking = await install(app, folder, processes);
  if (lacking !== null) return skip(lacking);
  const place: Place = { folder, port: await freePort(), secondPort: await freePort() };
  const node = [process.execPath, CLI];
  const env = { ...app.env?.(place), VERSION: '1' };
  app.release?.(place, '1');
  const supervisor = processes.start([...node, 'run', ...app.run(place)], folder, env);
  await until(
    () => ended(supervisor.process) || supervisor.output().includes('"event":"started"'),
    () => `the app to start; it said:\n${lastLines(supervisor.output())}`
  );
  if (ended(supervisor.process)) throw new Error(`the app did not start:\n${lastLines(supervisor.output())}`);
  if (app.front) {
    processes.start(app.front(place), folder);
    await answers({ host: '127.0.0.1', port: place.secondPort });
  }

  const clients = app.clients(place);
  const order = async (...args: string[]) => {
    const { code, output } = await processes.run([...node, ...args], folder);
    if (code !== 0)
      throw new Error(`handover ${args.join(' ')} ended with ${code}:\n${output}\n${lastLines(supervisor.output())}`);
  };
  let counts: Counts[];
  try {
    await Promise.all(clients.map((one) => one.warm()));
    for (const version of VERSIONS.slice(1, 1 + (app.deploys ?? 3))) {
      app.release?.(place, version);
      await serves(clients, version, () => order('reload', '--env', `VERSION=${version}`));
    }
    await serves(clients, VERSIONS[(app.deploys ?? 3) - 1] ?? '1', () => order('rollback'));
  } finally {
    counts = await Promise.all(clients.map((one) => one.stop()));
  }
  const inProgress = clients.map((one) => one.atStop?.());
  await delay(BEFORE_STOP_MS);
  await order('stop');
  const code = await supervisor.ended;
  for (const one of inProgress) if (one) counts.push(await one);
  if (code !== 0)
    throw new Error(`the supervisor ended with ${code} after the stop:\n${lastLines(supervisor.output())}`);
  return { ...sum(counts), skipped: null };
}

/** Changes the version, and loads the one that serves then. */
async function serves(clients: readonly Clients[], version: string, change: () => Promise<void>): Promise<void> {
  const before = clients.map((one) => one.answered(version));
  for (const one of clients) one.expect(null);
  await change();
  for (const one of clients) one.expect(version);
  await Promise.all([
    delay(LOADED_MS),
    until(
      () => clients.every((one, index) => one.answered(version) >= (before[index] ?? 0) + ANSWERS),
      () => `${ANSWERS} answers of version ${version} for every kind of client`
    )
  ]);
}

const lastLines = (output: string) => output.trimEnd().split('\n').slice(-LINES).join('\n');

const ended = (child: { exitCode: number | null; signalCode: string | null }) =>
  child.exitCode !== null || child.signalCode !== null;

/** What a row shows that was not run. */
export const skip = (reason: string): Result => ({
  requests: 0,
  failed: 0,
  reconnects: 0,
  examples: [],
  skipped: reason
});

function sum(all: readonly Counts[]): Counts {
  const of = (key: 'requests' | 'failed' | 'reconnects') => all.reduce((total, counts) => total + counts[key], 0);
  return {
    requests: of('requests'),
    failed: of('failed'),
    reconnects: of('reconnects'),
    examples: all.flatMap(({ examples }) => examples)
  };
}
