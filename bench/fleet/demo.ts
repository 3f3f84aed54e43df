import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { formatReport, type Load, type Report, startLoad } from '../client/index.ts';
import { NOT_BUILT, Refusal } from '../rig/refusal.ts';
import { runToEnd } from '../rig/run.ts';
import type { Child } from './child.ts';
import { ETCD, hasEtcd, startEtcdProcess } from './etcd-process.ts';
import { Fleet } from './fleet.ts';
import { HAPROXY, hasHaproxy } from './proxy.ts';
import { CLI } from './releases.ts';

// Several machines, for real: three behind HAProxy agree in an etcd. A good release goes through all of them; one that the second
// machine rejects stops there, and the first goes back. A strict client counts.

const CLIENTS = { idle: 20, thinking: 20, busy: 2, fresh: 2, slow: 4, uploading: 2 };
const PAUSE_MS = 800;

const live = process.stdout.isTTY === true;
const data = mkdtempSync(join(tmpdir(), 'handover-demo-etcd-'));
let etcd: Child | null = null;
let fleet: Fleet | null = null;

/** Prints what happened, above the line that shows the running numbers. */
function say(text: string): void {
  process.stdout.write(live ? `\r\x1b[K${text}\n` : `${text}\n`);
}

function show(load: Load): void {
  const { answered, failed, perVersion } = load.counts();
  const versions = Object.entries(perVersion).map(([version, count]) => `release ${version}: ${count}`);
  const text = `  ${answered} answered, ${failed} failed   ${versions.join('   ')}`;
  process.stdout.write(`\r\x1b[K${text.slice(0, (process.stdout.columns ?? 100) - 1)}`);
}

function refuseWithout(): void {
  if (!existsSync(CLI)) throw new Refusal(NOT_BUILT);
  const missing = [
    ...(hasHaproxy() ? [] : [`${HAPROXY} (Debian: apt-get install haproxy)`]),
    ...(hasEtcd() ? [] : [`${ETCD} (Debian: apt-get install etcd-server)`])
  ];
  if (missing.length > 0)
    throw new Refusal(`The demo of a fleet needs what is not installed here: ${missing.join(', ')}`);
}

/** Gives the command, and shows what it says as it comes. */
async function order(fleet: Fleet, expected: number, ...words: readonly string[]): Promise<number> {
  say(styleText('bold', `\n$ handover fleet ${words.join(' ')}`));
  const since = performance.now();
  const command = fleet.begin(...words);
  command.onLine((line) => say(`  ${line}`));
  assert.equal(await command.exit(), expected, 'its exit code');
  return performance.now() - since;
}

interface Times {
  readonly deployMs: number;
  readonly backMs: number;
}

async function deploy(fleet: Fleet): Promise<Times> {
  fleet.releases.add('2');
  const deployMs = await order(fleet, 0, 'deploy', '2', '--entry', 'releases/{label}/app.mjs');
  assert.deepEqual(await fleet.labels(), ['2', '2', '2']);
  await delay(PAUSE_MS);

  fleet.releases.add('3', 'crashes', 'm2');
  say(styleText('dim', '\nRelease 3 does not start on m2.'));
  const backMs = await order(fleet, 1, 'deploy', '3');
  assert.deepEqual(await fleet.labels(), ['2', '2', '2']);
  await delay(PAUSE_MS);
  return { deployMs, backMs };
}

function table(report: Report, { deployMs, backMs }: Times): string {
  const { asked, closed, reset } = report.reconnects.idle;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const perVersion = Object.entries(report.perVersion);
  const rows: [string, string][] = [
    ['requests', String(report.sent)],
    ['failed', String(report.failed)],
    ['reconnects of idle clients', String(asked + closed + reset)],
    ...perVersion.map(([version, count]): [string, string] => [`answered by release ${version}`, String(count)]),
    ['latency p50 / p99', `${report.latency.p50?.toFixed(1)} / ${report.latency.p99?.toFixed(1)} ms`],
    ['the good deploy', seconds(deployMs)],
    ['the bad one, and back', seconds(backMs)]
  ];
  const rule = '-'.repeat(60);
  return [rule, ...rows.map(([name, value]) => `${name.padEnd(32)}${value}`), rule].join('\n');
}

async function main(): Promise<void> {
  refuseWithout();
  const { endpoint, child } = await startEtcdProcess(data);
  etcd = child;
  fleet = await Fleet.prepare({ etcdFlags: ['--etcd', endpoint], flags: ['--bake', '1s'] });
  await fleet.start();
  const count = Object.values(CLIENTS).reduce((sum, one) => sum + one, 0);
  say(`Three machines that run release 1, behind HAProxy on 127.0.0.1:${fleet.port}, and ${count} clients.`);
  const load = startLoad({ target: { host: '127.0.0.1', port: fleet.port }, clients: CLIENTS, busyPauseMs: 4 });
  const timer = live ? setInterval(() => show(load), 100) : null;
  let times: Times;
  try {
    await load.warm();
    times = await deploy(fleet);
  } finally {
    await load.stop();
    if (timer) clearInterval(timer);
  }
  const report = await load.stop();
  say(`\n${table(report, times)}`);
  if (report.failed === 0) return say(styleText('green', 'No client noticed.'));
  say(styleText('red', `Something was noticed:\n${formatReport(report)}`));
  process.exitCode = 1;
}

async function end(): Promise<void> {
  await fleet?.end();
  await etcd?.end();
  rmSync(data, { recursive: true, force: true });
}

await runToEnd(main, end);
