import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { admin } from './admin.ts';
import { canary } from './canary.ts';
import { cover } from './cover.ts';
import { exclusive } from './exclusive.ts';
import { failures } from './failures.ts';
import { idle } from './idle.ts';
import { link } from './link.ts';
import { http2, sse, tls, websocket } from './live.ts';
import { measuring } from './measuring.ts';
import { memory } from './memory.ts';
import { reload } from './reload.ts';
import { type Asked, type Command, ROOT } from './rig/command.ts';
import { isStale, prepareMachine, showMachine } from './rig/machine.ts';
import type { Claim, Context, Result } from './rig/model.ts';
import { runCommand } from './rig/run.ts';
import { showResult, showSummary } from './rig/table.ts';
import { rolling } from './rolling.ts';
import { tail } from './tail.ts';
import { throughput } from './throughput.ts';
import { verdict } from './verdict.ts';
import { warmUp } from './warmup.ts';

const CLAIMS: readonly Claim[] = [
  throughput,
  measuring,
  websocket,
  sse,
  http2,
  tls,
  reload,
  idle,
  tail,
  warmUp,
  cover,
  exclusive,
  rolling,
  memory,
  link,
  failures,
  canary,
  admin,
  verdict
];

const COMMAND: Command = {
  name: 'npm run bench',
  about:
    'Measures what this project promises, each figure beside the same app under plain node; exit code 1 if a limit is missed.',
  item: 'claim',
  known: CLAIMS.map(({ name }) => name),
  quick: 'fewer rounds, about two minutes: a look, not a proof',
  json: 'bench/results/latest.json',
  takesBuild: true
};

/** One line that is written over, on a terminal; elsewhere only what a claim begins with. */
function showProgress(claim: string): (what: string) => void {
  if (!process.stderr.isTTY) return () => {};
  return (what) => process.stderr.write(`\r\x1b[2K${claim}: ${what}`);
}

async function runClaim(claim: Claim, around: Omit<Context, 'progress'>): Promise<Result & { tookMs: number }> {
  const startedAt = performance.now();
  process.stderr.write(process.stderr.isTTY ? '' : `${claim.name} ...\n`);
  const result = await claim.run({ ...around, progress: showProgress(claim.name) });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  return { ...result, tookMs: performance.now() - startedAt };
}

async function main({ line: command, only, quick, json, build, timeline }: Asked): Promise<void> {
  const stale = isStale(build, resolve(ROOT, 'src'));
  const machine = prepareMachine();
  process.stdout.write(`${command}\n${showMachine(machine)}\n`);
  if (stale) process.stdout.write('The build is older than the source: `npm run build` makes it anew.\n');
  const startedAt = new Date();
  const rows = [];
  for (const claim of CLAIMS) {
    if (only && !only.includes(claim.name)) continue;
    const result = await runClaim(claim, { quick, machine, build, timeline });
    process.stdout.write(`\n${showResult(claim, result)}\n`);
    const { name, claim: promise, limit } = claim;
    rows.push({ name, claim: promise, limit, ...result });
  }
  process.stdout.write(`\n${showSummary(rows)}\n`);
  mkdirSync(dirname(json), { recursive: true });
  const report = { command, startedAt: startedAt.toISOString(), machine, quick, stale, claims: rows };
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  const missed = rows.filter(({ ok }) => ok === false).map(({ name }) => name);
  if (missed.length > 0) {
    process.stderr.write(`Missed its limit: ${missed.join(', ')}.\n`);
    process.exitCode = 1;
  }
}

await runCommand(COMMAND, main);
