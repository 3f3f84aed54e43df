import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommands } from '../../src/cli/commands/all.ts';
import { readCommandLine } from '../../src/cli/program.ts';

const COLUMNS = 100;
const ROWS = 50;

async function help(...args: string[]): Promise<string> {
  const said: string[] = [];
  await readCommandLine(args, { columns: () => COLUMNS, out: (text) => void said.push(text) });
  return said.join('\n');
}

/** How many rows a text takes on a terminal. */
const rowsOf = (text: string): number =>
  text
    .trimEnd()
    .split('\n')
    .reduce((all, line) => all + Math.max(1, Math.ceil(line.length / COLUMNS)), 0);

test('the help of each command fits a screen', async () => {
  const commands = await loadCommands('');
  const parts = commands.flatMap(({ name, parts = [] }) => parts.map((part) => [name, part.name, '--help']));
  for (const args of [['--help'], ...commands.map(({ name }) => [name, '--help']), ...parts]) {
    const text = await help(...args);
    assert.ok(rowsOf(text) <= ROWS, `${args.join(' ')}: ${rowsOf(text)} rows\n${text}`);
  }
});

test('what does not fit is named, and explained where all is asked for', async () => {
  const short = await help('run', '--help');
  assert.match(short, /Explained by "handover help run", or --help --all: .*--listen-mode/);
  assert.doesNotMatch(short, /^ {2}--listen-mode/m);
  for (const whole of [await help('help', 'run'), await help('run', '--help', '--all')])
    assert.match(whole, /^ {2}--listen-mode <mode> /m);
});
