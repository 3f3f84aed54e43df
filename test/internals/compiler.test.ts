import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../support/service.ts';

const COMPILER = fileURLToPath(new URL('../../src/internals/compiler.ts', import.meta.url));
/** From here on V8 does by itself what is asked for. */
const QUICK = 24;
const major = Number(process.versions.node.split('.')[0]);

/** Runs a function often, so that V8 compiles it early or not at all. @returns what V8 says about it */
function run(before: string, options: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const script = `
    import { Worker } from 'node:worker_threads';
    import { hurryCompiler } from ${JSON.stringify(COMPILER)};
    const usual = hurryCompiler();
    ${before}
    // V8 compiles short functions early in any case.
    function called(value) {
      const [a, b, c, d] = [value % 7, value % 11, value % 13, value % 17];
      const text = 'request ' + a + ' of ' + b + ', ' + (c > d ? 'even' : 'odd') + ' and ' + (a ^ d);
      return text.length + a * b - c * d + (a > b ? a : b) + (c > d ? c : d) + text.indexOf('of') + (value & 3);
    }
    let sum = 0;
    for (let count = 0; count < 600; count += 1) {
      sum += called(count);
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    new Worker('process.exitCode = 0', { eval: true }).once('exit', (code) => console.log('thread', code, sum > 0));`;
  const args = ['--trace-opt', ...options, '--import', 'tsx', '--input-type=module', '--eval', script];
  const own = { ...process.env, NODE_COMPILE_CACHE: undefined, ...env };
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: own });
  assert.match(stdout, /thread 0 true/);
  return { out: stdout, err: stderr };
}

const isCompiled = (out: string) => /\[marking .*<JSFunction called\b/.test(out);

test('in a hurry V8 compiles early, and after it as late as ever', {
  skip: major >= QUICK && 'V8 is quick here'
}, () => {
  const [hurried, usual] = [run(''), run('usual();')];
  assert.deepEqual([isCompiled(hurried.out), isCompiled(usual.out)], [true, false]);
  assert.deepEqual([hurried.err, usual.err], ['', '']);
});

test('what V8 does not know it is not told', () => {
  assert.equal(run('usual();').err, '');
});

test('where compiled code is kept, V8 keeps its thresholds', { skip: major >= QUICK && 'V8 is quick here' }, (t) => {
  assert.equal(isCompiled(run('', [], { NODE_COMPILE_CACHE: makeFolder(t) }).out), false);
});

test('a threshold that the operator has set stays', { skip: major >= QUICK && 'V8 is quick here' }, () => {
  const own = major < 22 ? '--interrupt-budget=10000000' : '--invocation_count_for_turbofan=1000000';
  assert.equal(isCompiled(run('', [own]).out), false);
});
