import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cover } from './cover.ts';
import { exclusive } from './exclusive.ts';
import { failures } from './failures.ts';
import { idle } from './idle.ts';
import { measuring } from './measuring.ts';
import { memory } from './memory.ts';
import { reload } from './reload.ts';
import { describeMachine, isStale, showMachine } from './rig/machine.ts';
import type { Claim, Context, Result } from './rig/model.ts';
import { runCommand } from './rig/run.ts';
import { showResult, showSummary } from './rig/table.ts';
import { rolling } from './rolling.ts';
import { tail } from './tail.ts';
import { throughput } from './throughput.ts';
import { warmUp } from './warmup.ts';

const CLAIMS: readonly Claim[] = [
  throughput,
  measuring,
  reload,
  idle,
  tail,
  warmUp,
  cover,
  exclusive,
  rolling,
  memory,
  failures
];

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const options = {
  only: { type: 'string', multiple: true },
  quick: { type: 'boolean', default: false },
  json: { type: 'string', default: resolve(ROOT, 'bench/results/latest.json') },
  build: { type: 'string', default: resolve(ROOT, 'dist') },
  help: { type: 'boolean', default: false }
} as const;

const usage = `usage: npm run bench -- [--only <claim>]... [--quick] [--json <path>] [--build <folder>]
Measures what this project promises, each figure beside the same app under plain node; exit code 1 if a limit is missed.

  --only <claim>    only this one; repeatable: ${CLAIMS.map(({ name }) => name).join(', ')}
  --quick           fewer rounds, about two minutes: a look, not a proof
  --json <path>     where the figures go (default: bench/results/latest.json)
  --build <folder>  the built package that is measured (default: dist)
`;

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

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  const unknown = values.only?.filter((name) => !CLAIMS.some((claim) => claim.name === name)) ?? [];
  if (values.help || unknown.length > 0) {
    if (unknown.length > 0) process.stderr.write(`No claim is called ${unknown.join(', ')}.\n`);
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const machine = describeMachine();
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const build = resolve(values.build);
  process.stdout.write(`${command}\n${showMachine(machine)}\n`);
  const stale = isStale(build, resolve(ROOT, 'src'));
  if (stale) process.stdout.write('The build is older than the source: `npm run build` makes it anew.\n');
  const startedAt = new Date();
  const rows = [];
  for (const claim of CLAIMS) {
    if (values.only && !values.only.includes(claim.name)) continue;
    const result = await runClaim(claim, { quick: values.quick, machine, build });
    process.stdout.write(`\n${showResult(claim, result)}\n`);
    const { name, claim: promise, limit } = claim;
    rows.push({ name, claim: promise, limit, ...result });
  }
  process.stdout.write(`\n${showSummary(rows)}\n`);
  mkdirSync(dirname(resolve(values.json)), { recursive: true });
  const report = { command, startedAt: startedAt.toISOString(), machine, quick: values.quick, stale, claims: rows };
  writeFileSync(resolve(values.json), `${JSON.stringify(report, null, 2)}\n`);
  const missed = rows.filter(({ ok }) => ok === false).map(({ name }) => name);
  if (missed.length > 0) {
    process.stderr.write(`Missed its limit: ${missed.join(', ')}.\n`);
    process.exitCode = 1;
  }
}

await runCommand(main);
