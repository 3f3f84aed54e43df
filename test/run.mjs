// Runs the tests: all of them, or those whose path contains one of the arguments. The package must be built.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
  .map((file) => `${relative(process.cwd(), here) || '.'}/${file}`);

if (files.length === 0) {
  console.error(`No test file has any of these in its path: ${wanted.join(', ')}`);
  process.exitCode = 1;
} else {
  // Tests of this package run real processes under real load: more than two files at once would only measure the machine.
  const flags = ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-reporter=spec'];
  const child = spawn(process.execPath, [...flags, ...files], {
    stdio: 'inherit',
    // Child processes of the tests find this very Node under the name `node`.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
  });
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1);
  });
}
