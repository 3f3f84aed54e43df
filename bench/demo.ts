import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { ControlClient } from '../src/control/client.ts';
import { type Load, type Report, startLoad } from './client/index.ts';
import { NOT_BUILT, Refusal } from './rig/refusal.ts';
import { runToEnd } from './rig/run.ts';

// The main job, for real: a service under load is deployed five times and rolled back once, and a strict client counts.

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const APP = fileURLToPath(new URL('./client/app.mjs', import.meta.url));
const PAUSE_MS = 900;
const CLIENTS = { idle: 40, thinking: 40, busy: 3, fresh: 4, slow: 8, uploading: 4, pipelining: 2, slowReader: 1 };

const live = process.stdout.isTTY === true;
const folder = mkdtempSync(join(tmpdir(), 'handover-demo-'));
const socket = join(folder, 'control.sock');
const versionFile = join(folder, 'version');

let service: ChildProcess | null = null;
const client = new ControlClient(socket);

/** What the app on disk answers as its version from the next start on. */
function release(version: number): void {
  writeFileSync(versionFile, String(version));
}

/** Prints what happened, above the line that shows the running numbers. */
function say(text: string): void {
  process.stdout.write(live ? `\r\x1b[K${text}\n` : `${text}\n`);
}

function show(load: Load): void {
  const { answered, failed, perVersion, connections, reconnects } = load.counts();
  const { asked, closed, reset } = reconnects.idle;
  const versions = Object.entries(perVersion).map(([version, count]) => `gen ${version}: ${count}`);
  const text = `  ${answered} answered, ${failed} failed, ${connections} connections, ${asked + closed + reset} idle clients reconnected   ${versions.slice(-3).join('  ')}`;
  process.stdout.write(`\r\x1b[K${text.slice(0, (process.stdout.columns ?? 100) - 1)}`);
}

async function startService(): Promise<void> {
  const flags = ['--listen', '127.0.0.1:0', '--name', 'demo', '--socket', socket, '--log', 'json'];
  const env = { ...process.env, VERSION_FILE: versionFile };
  const child = spawn(process.execPath, [CLI, 'run', ...flags, APP], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  service = child;
  const lines = createInterface(child.stderr);
  const output: string[] = [];
  await new Promise<void>((started, failed) => {
    lines.on('line', (line) => {
      output.push(line);
      if (line.includes('"event":"started"')) started();
    });
    child.once('exit', () => failed(new Error(`the service did not start:\n${output.join('\n')}`)));
  });
}

async function deploy(client: ControlClient, load: Load): Promise<void> {
  for (let version = 2; version <= 6; version += 1) {
    release(version);
    load.expectAnyVersion();
    const { from, to, bootMs, cutoverMs, handedOver } = await client.reload();
    load.expectVersion(String(version));
    say(
      `reload    generation ${from} -> ${to}   ready in ${bootMs} ms, cutover ${cutoverMs} ms, ${handedOver} live connections moved`
    );
    await wait(PAUSE_MS);
  }
  load.expectAnyVersion();
  const { from, to, tookMs, handedOver } = await client.rollback();
  load.expectVersion('5');
  say(`rollback  generation ${from} -> ${to}   accepting in ${tookMs} ms, ${handedOver} live connections moved`);
  await wait(PAUSE_MS);
}

function table(report: Report): string {
  const { asked, closed, reset } = report.reconnects.idle;
  const perVersion = Object.entries(report.perVersion);
  const rows: [string, string][] = [
    ['requests', String(report.sent)],
    ['failed', String(report.failed)],
    ['reconnects of idle clients', String(asked + closed + reset)],
    ...perVersion.map(([version, count]): [string, string] => [`answered by generation ${version}`, String(count)]),
    ['latency p50 / p99', `${report.latency.p50?.toFixed(1)} / ${report.latency.p99?.toFixed(1)} ms`],
    ['slowest', report.slowest ? `${report.slowest.ms.toFixed(0)} ms  ${report.slowest.url}` : '-']
  ];
  const rule = '-'.repeat(60);
  return [rule, ...rows.map(([name, value]) => `${name.padEnd(32)}${value}`), rule].join('\n');
}

async function main(): Promise<void> {
  if (!existsSync(CLI)) throw new Refusal(NOT_BUILT);
  release(1);
  await startService();
  const { listeners } = await client.status();
  const port = Number(listeners[0]?.address.split(':').pop());
  const count = Object.values(CLIENTS).reduce((sum, one) => sum + one, 0);
  say(`A service on 127.0.0.1:${port} and ${count} clients; five reloads and one rollback under load.`);
  const load = startLoad({ target: { host: '127.0.0.1', port }, clients: CLIENTS, busyPauseMs: 2 });
  const timer = live ? setInterval(() => show(load), 100) : null;
  let report: Report;
  try {
    await load.warm();
    load.expectVersion('1');
    await wait(PAUSE_MS);
    await deploy(client, load);
  } finally {
    report = await load.stop();
    if (timer) clearInterval(timer);
  }
  say(table(report));
  const perfect =
    report.failed === 0 &&
    report.reconnects.idle.asked + report.reconnects.idle.closed + report.reconnects.idle.reset === 0;
  say(
    perfect
      ? styleText('green', 'No client noticed.')
      : styleText('red', `Something was noticed:\n${JSON.stringify(report.examples, null, 2)}`)
  );
  if (!perfect) process.exitCode = 1;
}

async function end(): Promise<void> {
  if (service && service.exitCode === null && service.signalCode === null) {
    const exit = once(service, 'exit');
    service.kill('SIGTERM');
    await exit;
  }
  await client.close();
  rmSync(folder, { recursive: true, force: true }); // last: a supervisor writes there until its end
}

await runToEnd(main, end);
