// Runs the tests: all of them, or those whose path contains one of the arguments. The package must be built.
// With --another-node those are left out that have nothing new to say on a second version of Node.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Test files that load many services at once, each after the others: beside another file they would measure the machine. */
const ALONE = ['scenarios/matrix.test.ts'];

/**
 * Test files about the sources, the docs, the benches, what commands say, figures and what is drawn by lot, those in which Node has
 * no part, and those that go through many combinations of what others test one by one. What the product does on each Node, the
 * others test.
 */
const ONCE = [
  'bench/',
  'cli/addresses',
  'cli/ci-summary',
  'cli/completion',
  'cli/doctor',
  'cli/find',
  'cli/help',
  'cli/import',
  'cli/install',
  'cli/operator',
  'cli/orders',
  'cli/print',
  'cli/reasons',
  'cli/split',
  'cli/status',
  'cli/stop-lasting',
  'cli/unix-',
  'cli/usage',
  'core/',
  'docs.test.ts',
  'examples.test.ts',
  'house.test.ts',
  'options/',
  'package.test.ts',
  'readme.test.ts',
  'scenarios/admin-page',
  'scenarios/install-systemd',
  'scenarios/matrix',
  'scenarios/prometheus',
  'scenarios/sweep',
  'scenarios/systemd',
  'scenarios/verdict'
];

/** Node reads TypeScript by itself from 22.18 on. On 22 it says each time that this is an experiment. */
const READING =
  process.features.typescript === 'strip' ? ['--disable-warning=ExperimentalWarning'] : ['--import', 'tsx'];

const here = fileURLToPath(new URL('.', import.meta.url));
const args = process.argv.slice(2);
const isAnotherNode = args.includes('--another-node');
const wanted = args.filter((part) => part !== '--another-node');
const files = readdirSync(here, { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .filter((file) => !(isAnotherNode && ONCE.some((one) => file.startsWith(one))))
  .sort();

if (files.length === 0) {
  console.error(`No test file has any of these in its path: ${wanted.join(', ')}`);
  process.exitCode = 1;
}
// Tests of this package run real processes under real load: more than two files at once would only measure the machine.
await run(
  files.filter((file) => !ALONE.includes(file)),
  2
);
for (const file of files.filter((file) => ALONE.includes(file))) await run([file], 1);
if (isAnotherNode) console.log(`Not run, as they are the same on every Node: ${ONCE.join(', ')}`);

async function run(files, concurrency) {
  if (files.length === 0) return;
  const flags = [...READING, '--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec'];
  const paths = files.map((file) => `${relative(process.cwd(), here) || '.'}/${file}`);
  const child = spawn(process.execPath, [...flags, ...paths], {
    stdio: 'inherit',
    // Child processes of the tests find this very Node under the name `node`.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = code ?? 1;
}
