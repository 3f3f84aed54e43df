import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { flagOf } from '../../src/cli/flags.ts';
import { OPTIONS } from '../../src/options/options.ts';
import { Home } from './run.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const COMMANDS = [
  ...['run', 'reload', 'rollback', 'promote', 'abort', 'retire', 'scale', 'status', 'history', 'list', 'stop']
];

test('--version is the version of the package, everywhere', async (t) => {
  const home = new Home(t);
  for (const args of [['--version'], ['-v'], ['status', '--version'], ['run', 'server.js', '--version']]) {
    assert.deepEqual(await home.handover(...args), { code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

test('--help names every command, and each command has its own', async (t) => {
  const home = new Home(t);
  const { code, stdout, stderr } = await home.handover('--help');
  assert.deepEqual([code, stderr], [0, '']);
  for (const name of COMMANDS) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    const own = await home.handover(name, '--help');
    assert.deepEqual([own.code, own.stderr], [0, '']);
    assert.match(own.stdout, new RegExp(`^Usage: handover ${name} `));
    if (name !== 'run') for (const flag of ['--name', '--socket', '--json']) assert.match(own.stdout, new RegExp(flag));
  }
});

test('the help of run is made of the table of options', async (t) => {
  const { stdout } = await new Home(t).handover('help', 'run');
  const words = stdout.replaceAll(/\s+/g, ' ');
  for (const [name, { about, value }] of Object.entries(OPTIONS)) {
    assert.ok(words.includes(`${flagOf(name)} ${value} ${about}`), name);
  }
});

const WRONG: readonly [line: string, code: string, stderr: RegExp][] = [
  ['', 'OPTION_INVALID', /^Nothing to do: no command was given\.\nThe commands are: run, reload, /],
  ['relaod', 'OPTION_UNKNOWN', /^Command "relaod" is not known: the nearest name is "reload"\.\nThe commands are: /],
  ['rollback 2', 'OPTION_INVALID', /`handover rollback --to 2`/],
  [
    'reload --wait=5',
    'OPTION_INVALID',
    /^"--wait" is not usable: it takes no value, and it was given "5"\.\nWrite `--wait` alone\.\n/
  ],
  ['frobnicate', 'OPTION_UNKNOWN', /^Command "frobnicate" is not known: no command has a name like it\.\n/],
  ['help frobnicate', 'OPTION_UNKNOWN', /^Command "frobnicate" is not known: no command has a name like it\.\n/],
  ['help relaod', 'OPTION_UNKNOWN', /^Command "relaod" is not known: the nearest name is "reload"\.\n/],
  ['deploy', 'OPTION_UNKNOWN', /^Command "deploy" is not known: what it does elsewhere, "reload" does here\.\n/],
  ['monit', 'OPTION_UNKNOWN', /^Command "monit" is not known: what it does elsewhere, "status" does here/],
  [
    'run --port 80 app.js',
    'OPTION_UNKNOWN',
    /^Option "--port" is not known: what it does elsewhere, "--listen" does here\.\n/
  ],
  ['run -i 4 app.js', 'OPTION_UNKNOWN', /^Option "-i" is not known: what it does elsewhere, "--workers" does here\.\n/],
  ['status --jsn', 'OPTION_UNKNOWN', /^Option "--jsn" is not known: the nearest name is "--json"\.\n/],
  ['reload a b', 'OPTION_INVALID', /^Cannot read the arguments of `handover reload`: too many arguments/],
  ['stop --name', 'OPTION_INVALID', /^Cannot read the arguments of `handover stop`: .* argument missing\.\n/],
  ['reload --env A', 'OPTION_INVALID', /^"--env" is not usable: it must be KEY=VALUE\.\n/],
  ['reload --env =A', 'OPTION_INVALID', /^"--env" is not usable: it must be KEY=VALUE\.\n/],
  ['reload --strategy canary', 'OPTION_INVALID', /^Cannot read the arguments of `handover reload`: .*blue-green, /],
  ['rollback --to last', 'OPTION_INVALID', /^"--to" is not usable: it must be the number of a generation.*"last"\.\n/],
  ['scale', 'OPTION_INVALID', /^Cannot read the arguments of `handover scale`: missing required argument/],
  ['scale 0', 'OPTION_INVALID', /^"<workers>" is not usable: it must be an integer from 1 to 128, and it is "0"\.\n/],
  ['run', 'OPTION_ENTRY', /^Nothing to run: no entry was given/],
  ['run --lisen 80 server.js', 'OPTION_UNKNOWN', /^Option "--lisen" is not known: the nearest name is "--listen"\.\n/],
  ['run server.js --worker 2', 'OPTION_UNKNOWN', /the nearest name is "--workers"\.\n.*put `--` before/],
  ['run server.js --workers', 'OPTION_INVALID', /^Option "--workers" is not usable: it needs a value/],
  ['run server.js --workers none', 'OPTION_INVALID', /^Option "workers" is not usable: it must be .*"none"\.\n/],
  [
    'run app.js',
    'OPTION_ENTRY',
    /^Cannot start app\.js: .*\/app\.js does not exist\.\nGive the path of the file that starts the app: server\.js, perhaps/
  ],
  ['run server.ts', 'OPTION_ENTRY', /^Cannot start server\.ts: .*\n.*: server\.js, perhaps/],
  ['run next start', 'OPTION_ENTRY', /^Cannot start next: .*\n.*command of a package, install that first/],
  [
    'run --cwd nowhere server.js',
    'OPTION_ENTRY',
    /^Cannot start server\.js: the folder .*\/nowhere does not exist\.\n/
  ],
  [
    'server.js',
    'OPTION_UNKNOWN',
    /^Command "server\.js" is not known: .*\nTo run an app: `handover run server\.js`\.\n/
  ],
  [
    'stop now',
    'OPTION_INVALID',
    /^Cannot read the arguments of `handover stop`: it takes none, and it was given "now"\.\n/
  ]
];

for (const [line, code, stderr] of WRONG) {
  test(`wrong usage is refused with exit code 2: handover ${line}`, async (t) => {
    const outcome = await new Home(t).handover(...line.split(' ').filter((word) => word !== ''));
    const lead = `HANDOVER_ERR_${code}: `;

    assert.equal(outcome.code, 2);
    assert.equal(outcome.stdout, '');
    assert.equal(outcome.stderr.slice(0, lead.length), lead);
    assert.match(outcome.stderr.slice(lead.length), stderr);
    assert.equal(outcome.stderr, stripVTControlCharacters(outcome.stderr));
  });
}

test('an entry that was moved is looked for where apps have it', async (t) => {
  const home = new Home(t);
  home.write('dist/main.js', '');
  const { stderr } = await home.handover('run', 'main.js');
  assert.match(stderr, /the file that starts the app: dist\/main\.js, perhaps;/);
  const folder = await home.handover('run', 'dist');
  assert.match(folder.stderr, /the file that starts the app: dist\/main\.js, perhaps;/);
});

test('with --json, wrong usage too is one object on stdout', async (t) => {
  const home = new Home(t);
  await refusesAsJson(home, ['status', '--jsn'], 'HANDOVER_ERR_OPTION_UNKNOWN');
  await refusesAsJson(home, ['relaod'], 'HANDOVER_ERR_OPTION_UNKNOWN');
  await refusesAsJson(home, ['rollback', 'now'], 'HANDOVER_ERR_OPTION_INVALID');
});

async function refusesAsJson(home: Home, args: string[], wanted: string): Promise<void> {
  const { code, answer } = await home.json(...args);
  const { ok, code: is, active } = answer;
  assert.deepEqual([code, ok, is, active], [2, false, wanted, null]);
  assert.deepEqual(Object.keys(answer), ['ok', 'code', 'what', 'why', 'fix', 'active']);
}

test('with --log json, a failure of run is one line of the log', async (t: TestContext) => {
  const { code, stdout, stderr } = await new Home(t).handover('run', 'missing.js', '--log', 'json');
  assert.deepEqual([code, stdout], [2, '']);
  const line = JSON.parse(stderr);
  assert.deepEqual([line.level, line.event, line.code], ['error', 'failed', 'HANDOVER_ERR_OPTION_ENTRY']);
});

test('a --json of the app is not ours', async (t) => {
  const { stdout, stderr } = await new Home(t).handover('run', 'missing.js', '--json');
  assert.equal(stdout, '');
  assert.match(stderr, /^HANDOVER_ERR_OPTION_ENTRY: /);
});
