import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, isStale, showMachine } from './rig/machine.ts';
import { runCommand } from './rig/run.ts';
import { connections } from './scale/connections.ts';
import type { Part } from './scale/part.ts';
import { reloads } from './scale/reloads.ts';
import { showAnswer } from './scale/table.ts';
import { workers } from './scale/workers.ts';

const PARTS: readonly Part[] = [connections, workers, reloads];

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const options = {
  only: { type: 'string', multiple: true },
  quick: { type: 'boolean', default: false },
  json: { type: 'string', default: resolve(ROOT, 'bench/results/scale.json') },
  build: { type: 'string', default: resolve(ROOT, 'dist') },
  help: { type: 'boolean', default: false }
} as const;

const usage = `usage: npm run bench:scale -- [--only <part>]... [--quick] [--json <path>] [--build <folder>]
Shows how cost grows with connections, with workers and with reloads. Takes about four minutes.

  --only <part>     only this one; repeatable: ${PARTS.map(({ name }) => name).join(', ')}
  --quick           fewer rounds, a minute and a half: a look, not a proof
  --json <path>     where the figures go (default: bench/results/scale.json)
  --build <folder>  the built package that is measured (default: dist)
`;

/** One line that is written over, on a terminal; elsewhere nothing. */
function showProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${what}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  const unknown = values.only?.filter((name) => !PARTS.some((part) => part.name === name)) ?? [];
  if (values.help || unknown.length > 0) {
    if (unknown.length > 0) process.stderr.write(`No part is called ${unknown.join(', ')}.\n`);
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const machine = describeMachine();
  const build = resolve(values.build);
  const command = ['npm run bench:scale', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(
    ' '
  );
  process.stdout.write(`${command}\n${showMachine(machine)}\n`);
  const stale = isStale(build, resolve(ROOT, 'src'));
  if (stale) process.stdout.write('The build is older than the source: `npm run build` makes it anew.\n');
  const startedAt = new Date().toISOString();
  const parts = [];
  for (const part of PARTS) {
    if (values.only && !values.only.includes(part.name)) continue;
    const answer = await part.run({ quick: values.quick, machine, build, progress: showProgress });
    showProgress('');
    process.stdout.write(`\n${showAnswer(part, answer)}\n`);
    parts.push({ name: part.name, about: part.about, ...answer });
  }
  mkdirSync(dirname(resolve(values.json)), { recursive: true });
  const report = { command, startedAt, machine, quick: values.quick, stale, parts };
  writeFileSync(resolve(values.json), `${JSON.stringify(report, null, 2)}\n`);
}

await runCommand(main);
