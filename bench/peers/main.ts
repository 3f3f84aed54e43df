import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type as osType } from 'node:os';
import { dirname, resolve } from 'node:path';
import { EVERY_KIND } from '../client/index.ts';
import { type Asked, type Command, prepareFile, ROOT } from '../rig/command.ts';
import { isStale, prepareMachine, showMachine } from '../rig/machine.ts';
import { endAll } from '../rig/processes.ts';
import { runCommand } from '../rig/run.ts';
import { compare } from './compare.ts';
import { matrixMarkdown, showMatrix } from './matrix.ts';
import type { PeersResult, PeersSettings } from './result.ts';
import { endAllSandboxes } from './sandbox.ts';
import { handover } from './systems/handover.ts';
import { QUICK, SYSTEMS } from './systems/index.ts';
import { withSystemFolders } from './systems/path.ts';

const COMMAND: Command = {
  name: 'npm run bench:peers',
  about:
    'Deploys the same app in every way there is on one machine, under a client that accounts for every request it sent.',
  item: 'system',
  known: SYSTEMS.map(({ id }) => id),
  quick: `only ${QUICK.join(', ')}, with fewer rounds: under three minutes, a look and no proof`,
  json: 'bench/results/peers.json',
  takesBuild: false
};

function settingsFor(quick: boolean): PeersSettings {
  return {
    quick,
    rounds: quick ? 1 : 3,
    deploys: 2,
    pauseMs: 800,
    graceMs: 2_500, // connections that are used move within 2 s (`ramp`)
    drainMs: 3_000,
    clients: EVERY_KIND,
    requestTimeoutMs: 10_000,
    keptConnections: 64,
    freshTogether: 16,
    latencyRate: 1_000
  };
}

/** One line that is written over on a terminal; elsewhere one line after the other. */
function showProgress(startedAt: number): (what: string) => void {
  return (what) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    if (!process.stderr.isTTY) process.stderr.write(`${seconds} s  ${what}\n`);
    else process.stderr.write(`\r\x1b[2K${seconds} s  ${what}`.slice(0, (process.stderr.columns ?? 100) + 4));
  };
}

/** Writes the page and says where, or why there is none. */
async function writePage(result: PeersResult, folder: string): Promise<string> {
  try {
    const { writeReport } = await import('./report/index.ts');
    const { html, svg } = await writeReport(result, folder);
    return `Page: ${html}\nPlot: ${svg}`;
  } catch (error) {
    return `No page was written: ${error instanceof Error ? error.message : error}`;
  }
}

async function main({ line: command, only, quick, json, build }: Asked): Promise<void> {
  const markdown = json.replace(/(\.json)?$/, '.md');
  prepareFile(markdown);
  const wanted = only ?? (quick ? QUICK : null);
  const systems = SYSTEMS.filter(({ id }) => wanted === null || wanted.includes(id));
  const stale = systems.some((system) => handover.includes(system)) && isStale(build, resolve(ROOT, 'src'));
  process.env.PATH = withSystemFolders(process.env.PATH ?? '/usr/bin:/bin'); // also of what is started
  const startedAt = performance.now();
  const machine = prepareMachine();
  const settings = settingsFor(quick);
  process.stdout.write(`${command}\n${showMachine(machine)}\n\n`);
  if (stale) process.stdout.write('The build is older than the source: `npm run build` makes it anew.\n');
  const progress = showProgress(startedAt);
  const context = { quick, machine, build, settings, progress };
  const { version } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { version: string };
  const result: PeersResult = {
    date: new Date().toISOString(),
    command,
    machine: { ...machine, os: `${osType()} ${machine.kernel}` },
    versions: Object.assign(
      { handover: version, node: process.version },
      ...systems.map((system) => (system.missing() ? {} : system.version?.()))
    ),
    ...(await compare(systems, context))
  };
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  process.stdout.write(`${showMatrix(result, process.stdout.isTTY === true)}\n`);
  process.stdout.write(`It took ${Math.round((performance.now() - startedAt) / 1000)} s.\n`);
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(markdown, matrixMarkdown(result));
  process.stdout.write(
    `Figures: ${json}\nFor docs/beside-the-others.md: ${markdown}\n${await writePage(result, dirname(json))}\n`
  );
  const broken = result.systems.filter(({ skipped, complete }) => !skipped && !complete).map(({ name }) => name);
  if (broken.length > 0) {
    process.stderr.write(`Not every deploy could be done, see the troubles above: ${broken.join(', ')}.\n`);
    process.exitCode = 1;
  }
}

await runCommand(COMMAND, main, () => Promise.all([endAll(), endAllSandboxes()]));
