// Runs the tests: all of them, or those whose path contains one of the arguments. The package must be built.
// With --another-node only those run that may have something new to say on a second version of Node.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Test files that load many services at once, each after the others: beside another file they would measure the machine. */
const ALONE = ['scenarios/matrix.test.ts'];

/**
 * What runs on every Node: what touches its internals, its sockets, its processes and its streams, over whole deploys. The rest is
 * decided, said and counted by code in which Node has no part, or goes through many combinations of this.
 */
const ON_EACH_NODE = [
  'cli/entries',
  'cli/lifecycle',
  'host/listeners',
  'host/processes',
  'protocol/',
  'scenarios/admin.test.ts',
  'scenarios/affinity',
  'scenarios/canary-connections',
  'scenarios/canary-requests',
  'scenarios/cover',
  'scenarios/deploys',
  'scenarios/forwarding',
  'scenarios/live-connections',
  'scenarios/moments',
  'scenarios/sessions',
  'scenarios/supervisor-killed',
  'scenarios/supervisor-replaced',
  'scenarios/upgrade-node',
  'worker/'
];

/** Far more than the longest file takes. One whose process does not end, as something in it still runs, is a failure that has a name. */
const FILE_MS = 1_200_000;

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
  .filter((file) => !isAnotherNode || ON_EACH_NODE.some((one) => file.startsWith(one)))
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
if (isAnotherNode) console.log(`Of all tests only those ran in which Node has a part: ${ON_EACH_NODE.join(', ')}`);

async function run(files, concurrency) {
  if (files.length === 0) return;
  // That nothing still runs at its end, each file shows on the first Node.
  const ends = isAnotherNode ? ['--test-force-exit'] : [`--test-timeout=${FILE_MS}`];
  const flags = [...READING, '--test', ...ends, `--test-concurrency=${concurrency}`, '--test-reporter=spec'];
  const paths = files.map((file) => `${relative(process.cwd(), here) || '.'}/${file}`);
  const child = spawn(process.execPath, [...flags, ...paths], {
    stdio: 'inherit',
    // Child processes of the tests find this very Node under the name `node`.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = code ?? 1;
}
