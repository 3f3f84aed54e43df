import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Command, ROOT, readCommand, usageOf } from '../../bench/rig/command.ts';
import { isStale } from '../../bench/rig/machine.ts';
import { Refusal } from '../../bench/rig/refusal.ts';

const command: Command = {
  name: 'npm run some',
  about: 'Does something.',
  item: 'thing',
  known: ['one', 'two', 'three'],
  quick: 'less',
  json: 'bench/results/some.json',
  takesBuild: true
};

const FILES = { bench: 'bench/main.ts', 'bench:scale': 'bench/scale.ts', 'bench:peers': 'bench/peers/main.ts' };

async function run(file: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, file), ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

for (const [name, file] of Object.entries(FILES)) {
  test(`${name} refuses a flag that it does not know in one line, shows its usage and exits with 2`, async () => {
    const { code, stdout, stderr } = await run(file, '--nonsense');

    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`^Unknown option '--nonsense'.*\nusage: npm run ${name} -- `));
    assert.doesNotMatch(stderr, /^ +at /m);
    assert.equal(code, 2);
  });

  test(`${name} says how it is used when asked by -h`, async () => {
    const { code, stdout, stderr } = await run(file, '-h');

    assert.match(stdout, new RegExp(`^usage: npm run ${name} -- `));
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });
}

const WRONG: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['--json'], /--json.* argument missing/],
  [['--json', '--quick'], /--json.* ambiguous/],
  [['--quick=yes'], /--quick.* does not take an argument/],
  [['word'], /Unexpected argument 'word'/],
  [['--only', ''], /No thing is called ""\./],
  [['--only', 'one,'], /No thing is called ""\./],
  [['--only', 'one,four', '--only', 'five'], /No thing is called "four", "five"\./]
];

for (const [args, says] of WRONG) {
  test(`${JSON.stringify(args)} is refused in one line, with the usage and all names below`, () => {
    assert.throws(
      () => readCommand(command, args),
      (error) => {
        assert.ok(error instanceof Refusal);
        const [first = '', second, ...rest] = error.message.split('\n');
        assert.match(first, says);
        assert.match(second ?? '', /^usage: npm run some -- /);
        assert.ok(rest.some((line) => line.includes('one, two, three')));
        return true;
      }
    );
  });
}

test('a command that is asked nothing measures everything, where its defaults say', () => {
  assert.deepEqual(readCommand(command, []), {
    line: 'npm run some',
    only: null,
    quick: false,
    json: join(ROOT, 'bench/results/some.json'),
    build: join(ROOT, 'dist'),
    timeline: false
  });
});

test('names are chosen by commas and by repetition alike', () => {
  const asked = readCommand(command, ['--only', 'one,two', '--only', 'three', '--quick']);

  assert.deepEqual(asked?.only, ['one', 'two', 'three']);
  assert.equal(asked?.line, 'npm run some -- --only one,two --only three --quick');
});

test('a command that measures dist alone takes no other build, and does not speak of it', () => {
  const fixed = { ...command, takesBuild: false };

  assert.throws(() => readCommand(fixed, ['--build', 'lib']), /^Error: Unknown option '--build'/);
  assert.doesNotMatch(usageOf(fixed), /build/);
});

test('a file for the figures that cannot be written is refused before anything is measured', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-command-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), '');

  assert.throws(() => readCommand(command, ['--json', folder]), /^Error: No figures .*: it is a folder$/);
  assert.throws(() => readCommand(command, ['--json', join(folder, 'file/figures.json')]), /^Error: No figures .*: E/);
  assert.throws(() => readCommand(command, ['--json', join(folder, 'file/new/figures.json')]), /^Error: No figures/);
  assert.equal(readCommand(command, ['--json', join(folder, 'new/figures.json')])?.json, `${folder}/new/figures.json`);
});

test('a command with a folder in place of a file for the figures exits with 2', async () => {
  const { code, stdout, stderr } = await run(FILES['bench:peers'], '--json', tmpdir());

  assert.equal(stdout, '');
  assert.equal(stderr, `No figures can be written to ${tmpdir()}: it is a folder\n`);
  assert.equal(code, 2);
});

test('a package that is not built is refused with the command that builds it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-command-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { code, stdout, stderr } = await run(FILES.bench, '--build', folder, '--json', join(folder, 'figures.json'));

  assert.equal(stdout, '');
  assert.equal(stderr, `The package is not built: npm run build (there is no ${join(folder, 'index.js')})\n`);
  assert.equal(code, 2);
});

test('a build is stale when a source file is newer', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-command-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [built, source] = [join(folder, 'dist'), join(folder, 'src')];
  for (const file of [join(built, 'index.js'), join(source, 'index.ts')]) {
    mkdirSync(dirname(file));
    writeFileSync(file, '');
  }
  utimesSync(join(built, 'index.js'), 1_000, 1_000);
  assert.equal(isStale(built, source), true);
  utimesSync(join(source, 'index.ts'), 900, 900);
  assert.equal(isStale(built, source), false);
});
