import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Asked, type Command, ROOT } from './rig/command.ts';
import { isStale, prepareMachine, showMachine } from './rig/machine.ts';
import { runCommand } from './rig/run.ts';
import { connections } from './scale/connections.ts';
import { fleet } from './scale/fleet.ts';
import { fleetCounted } from './scale/fleet-counted.ts';
import type { Part } from './scale/part.ts';
import { reloads } from './scale/reloads.ts';
import { showAnswer } from './scale/table.ts';
import { workers } from './scale/workers.ts';

const PARTS: readonly Part[] = [connections, workers, reloads, fleet, fleetCounted];

const COMMAND: Command = {
  name: 'npm run bench:scale',
  about: 'Shows how cost grows with connections, workers, reloads and machines. Takes about eleven minutes.',
  item: 'part',
  known: PARTS.map(({ name }) => name),
  quick: 'fewer rounds, a minute and a half: a look, not a proof',
  json: 'bench/results/scale.json',
  takesBuild: true
};

/** One line that is written over, on a terminal; elsewhere nothing. */
function showProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${what}`);
}

async function main({ line: command, only, quick, json, build }: Asked): Promise<void> {
  const stale = isStale(build, resolve(ROOT, 'src'));
  const machine = prepareMachine();
  process.stdout.write(`${command}\n${showMachine(machine)}\n`);
  if (stale) process.stdout.write('The build is older than the source: `npm run build` makes it anew.\n');
  const startedAt = new Date().toISOString();
  const parts = [];
  for (const part of PARTS) {
    if (only && !only.includes(part.name)) continue;
    const answer = await part.run({ quick, machine, build, progress: showProgress });
    showProgress('');
    process.stdout.write(`\n${showAnswer(part, answer)}\n`);
    parts.push({ name: part.name, about: part.about, ...answer });
  }
  mkdirSync(dirname(json), { recursive: true });
  const report = { command, startedAt, machine, quick, stale, parts };
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
}

await runCommand(COMMAND, main);
