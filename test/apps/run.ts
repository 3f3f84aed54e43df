import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { difference, showExpected } from './expected.ts';
import { versionOf } from './install.ts';
import type { App } from './model.ts';
import { runRow, skip } from './row.ts';
import { APPS } from './table.ts';

// Runs real applications from the registry, one after the other: all, or those whose name has one of the arguments in it.
// Each is deployed three times, rolled back and stopped under load; what its clients saw is a row. The package must be built.

/** How long one may take, its installation included. */
const ROW_MS = 180_000;
const COLUMNS = [34, 9, 7, 11, 8] as const;

const wanted = process.argv.slice(2).map((part) => part.toLowerCase());
const chosen = APPS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.toLowerCase().includes(part))
);
const brokenOff = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => brokenOff.abort());

if (chosen.length === 0) fail(`No application has any of these in its name: ${wanted.join(', ')}`);
else if (!existsSync(fileURLToPath(new URL('../../dist/cli.js', import.meta.url)))) fail('Run `npm run build` first.');
else await runAll();

async function runAll(): Promise<void> {
  const startedAt = performance.now();
  const outcomes = { 'as expected': 0, 'not as expected': 0, skipped: 0 };
  print(['application', 'requests', 'failed', 'reconnects', 'seconds'], 'expected');
  for (const app of chosen) {
    if (!brokenOff.signal.aborted) outcomes[await runOne(app)]++;
  }
  const told = Object.entries(outcomes).filter(([, count]) => count > 0);
  console.log(`\n${told.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}, in ${seconds(startedAt)} s`);
  if (outcomes['not as expected'] > 0 || brokenOff.signal.aborted) process.exitCode = 1;
}

async function runOne(app: App): Promise<'as expected' | 'not as expected' | 'skipped'> {
  const since = performance.now();
  const notNamed = wanted.length === 0 ? app.notYet : undefined;
  try {
    const result = await (notNamed === undefined ? runRow(app, ROW_MS, brokenOff.signal) : skip(notNamed));
    if (result.skipped !== null) {
      console.log(`${app.name.padEnd(COLUMNS[0])} skipped: ${result.skipped}`);
      return 'skipped';
    }
    const differs = difference(result, app.expected);
    const numbers = [result.requests, result.failed, result.reconnects].map(String);
    const so = differs === null ? '' : `: NOT SO, ${differs}`;
    print([app.name, ...numbers, seconds(since)], `${showExpected(app.expected)}${so}`);
    if (differs === null) return 'as expected';
    for (const example of result.examples) console.log(`    ${example}`);
  } catch (error) {
    print([app.name, '-', '-', '-', seconds(since)], `${showExpected(app.expected)}: NOT SO`);
    console.log(String(error instanceof Error ? error.message : error).replaceAll(/^/gm, '    '));
  }
  console.log(`    with ${app.packages.map((name) => `${name}@${versionOf(name)}`).join(' ') || 'nothing installed'}`);
  return 'not as expected';
}

function print(cells: readonly string[], rest: string): void {
  const aligned = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(COLUMNS[0]) : cell.padStart(COLUMNS[index] ?? 0)
  );
  console.log(`${aligned.join(' ')}  ${rest}`);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 2;
}
