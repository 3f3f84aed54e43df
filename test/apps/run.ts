import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { difference, showExpected } from './expected.ts';
import { versionOf } from './install.ts';
import type { App } from './model.ts';
import { runRow } from './row.ts';
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
if (!existsSync(fileURLToPath(new URL('../../dist/cli.js', import.meta.url)))) fail('Run `npm run build` first.');

const startedAt = performance.now();
print(['application', 'requests', 'failed', 'reconnects', 'seconds'], 'expected');
for (const app of chosen) {
  if (brokenOff.signal.aborted || process.exitCode === 2) break;
  await runOne(app);
}
console.log(`\n${process.exitCode ? 'Not as expected.' : 'All as expected.'} ${seconds(startedAt)} s`);

async function runOne(app: App): Promise<void> {
  if (app.notYet !== undefined && wanted.length === 0) {
    console.log(`${app.name.padEnd(COLUMNS[0])} skipped: ${app.notYet}`);
    return;
  }
  const since = performance.now();
  const versions = app.packages.map((name) => `${name}@${versionOf(name)}`).join(' ');
  try {
    const result = await runRow(app, ROW_MS, brokenOff.signal);
    if (result.skipped !== null) {
      console.log(`${app.name.padEnd(COLUMNS[0])} skipped: ${result.skipped}`);
      return;
    }
    const differs = difference(result, app.expected);
    const numbers = [result.requests, result.failed, result.reconnects].map(String);
    print(
      [app.name, ...numbers, seconds(since)],
      `${showExpected(app.expected)}${differs ? `: NOT SO, ${differs}` : ''}`
    );
    if (differs === null) return;
    for (const example of result.examples) console.log(`    ${example}`);
  } catch (error) {
    print([app.name, '-', '-', '-', seconds(since)], `${showExpected(app.expected)}: NOT SO`);
    console.log(String(error instanceof Error ? error.message : error).replaceAll(/^/gm, '    '));
  }
  console.log(`    installed: ${versions || 'nothing'}`);
  process.exitCode = 1;
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
