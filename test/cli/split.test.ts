import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitRun } from '../../src/cli/split.ts';
import { HandoverError } from '../../src/errors.ts';

const FLAGS = ['--listen', '--workers', '--log', '--name', '--node', '--cwd', '--env', '--node-option'];
const split = (line: string) => splitRun(line.split(' '), FLAGS);

function refusal(line: string): HandoverError {
  try {
    split(line);
  } catch (error) {
    if (HandoverError.is(error)) return error;
  }
  return assert.fail(`"${line}" should have been refused`);
}

test('our flags are ours before the entry and directly after it', () => {
  assert.deepEqual(split('--listen 80 server.js --workers 2'), {
    own: ['--listen=80', '--workers=2'],
    entry: 'server.js',
    app: null
  });
});

test('a flag may be joined with its value', () => {
  assert.deepEqual(split('server.js --listen=unix:/a=b').own, ['--listen=unix:/a=b']);
});

test('everything from the first argument that is not ours on goes to the app untouched', () => {
  const { own, app } = split('server.js --workers 2 start --workers 7 -- --listen=9');

  assert.deepEqual(own, ['--workers=2']);
  assert.deepEqual(app, ['start', '--workers', '7', '--', '--listen=9']);
});

test('an unknown flag after the entry that resembles none of ours is the app’s', () => {
  for (const flag of ['--foo', '--port=1', '-p', '--w', '--verbose']) {
    assert.deepEqual(split(`server.js ${flag} --workers 7`).app, [flag, '--workers', '7']);
  }
});

test('a short flag of the app that is one letter away from ours is the app’s', () => {
  for (const flag of ['--mode', '--cmd', '--end', '--game']) assert.deepEqual(split(`a.js ${flag} x`).app, [flag, 'x']);
});

test('an option of Node may follow its flag, though it looks like a flag', () => {
  assert.deepEqual(split('--node-option --import=tsx --node-option -C a.ts').own, [
    '--node-option=--import=tsx',
    '--node-option=-C'
  ]);
  assert.equal(refusal('--node-option --workers 2 a.js').why, 'it needs a value, and none was given');
  assert.equal(refusal('a.js --node-option --').why, 'it needs a value, and none was given');
});

test('everything after -- is the app’s, even what we know', () => {
  assert.deepEqual(split('server.js --workers 2 -- --listen 80').app, ['--listen', '80']);
  assert.deepEqual(split('server.js --').app, []);
});

test('without an entry, what follows -- is kept apart: the config may name the entry', () => {
  assert.deepEqual(split('--workers 2 -- a b'), { own: ['--workers=2'], entry: null, app: ['a', 'b'] });
});

test('a misspelt flag after the entry is refused, with the way to give it to the app', () => {
  for (const [given, meant] of [
    ['--worker', '--workers'],
    ['--lisen', '--listen'],
    ['--lisen=80', '--listen'],
    ['--nam', '--name']
  ]) {
    const { code, why, fix } = refusal(`server.js ${given} 80`);
    assert.equal(code, 'HANDOVER_ERR_OPTION_UNKNOWN');
    assert.equal(why, `the nearest name is "${meant}"`);
    assert.match(fix, /put `--` before the arguments of the app/);
  }
});

test('an unknown flag before the entry stays ours, for the parser to refuse', () => {
  assert.deepEqual(split('--lisen 80 server.js'), { own: ['--lisen'], entry: '80', app: ['server.js'] });
});

test('help and version are ours until the app’s arguments begin', () => {
  assert.deepEqual(split('server.js --help').own, ['--help']);
  assert.deepEqual(split('server.js start --help').app, ['start', '--help']);
});

test('a flag whose value was forgotten is refused', () => {
  for (const line of ['server.js --listen', '--listen --workers 2 server.js', 'server.js --listen --']) {
    const { code, why } = refusal(line);
    assert.equal(code, 'HANDOVER_ERR_OPTION_INVALID');
    assert.equal(why, 'it needs a value, and none was given');
  }
});
