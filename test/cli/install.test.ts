import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { splitInstall } from '../../src/cli/split-install.ts';
import { writeCommand } from '../../src/cli/units/unit-text.ts';
import { cannotVerifyUnits, scoreUnit, verifyUnits } from '../support/units.ts';
import { Home } from './run.ts';

interface Answer {
  readonly unit: string;
  readonly socket: string | null;
  readonly units: readonly { name: string; path: string; text: string }[];
  readonly written: readonly string[];
}

async function print(t: TestContext, ...args: string[]): Promise<Answer> {
  const home = openHome(t);
  const { code, answer } = await askJson(home, ...args);
  assert.equal(code, 0, JSON.stringify(answer));
  return answer as unknown as Answer;
}

/** Asks before the arguments of the app, to which a --json at the end would go. */
async function askJson(home: Home, ...args: string[]): Promise<{ code: number | null; answer: unknown }> {
  const { code, stdout, stderr } = await home.handover('install', '--json', '--print', ...args);
  assert.equal(stderr, '');
  return { code, answer: JSON.parse(stdout) };
}

/** A folder that anybody may read. */
function openHome(t: TestContext): Home {
  const home = new Home(t);
  chmodSync(dirname(home.folder), 0o755);
  return home;
}

const skip = cannotVerifyUnits();

const WAYS: readonly [about: string, args: readonly string[]][] = [
  ['the shortest', ['server.js', '--listen', '3000']],
  ['a low port', ['server.js', '--listen', '80', '--workers', '2']],
  ['socket activation', ['server.js', '--listen', '80', '--listen', '127.0.0.1:81', '--socket-activation']],
  ['an address for each server', ['server.js', '--listen', '80=3000', '--listen', '81=3001', '--socket-activation']],
  ['a named user', ['server.js', '--listen', '80', '--run-as', 'www-data']],
  ['root', ['server.js', '--listen', '80', '--run-as', 'root']],
  ['arguments that need quotes', ['server.js', '--name', 'a "b" $c %d', '--', '--say', "it's 100 % $HOME\n"]]
];

for (const [about, args] of WAYS) {
  test(`systemd takes the units, and finds little exposed: ${about}`, { skip }, async (t) => {
    const { units } = await print(t, ...args);
    verifyUnits(t, units);
    const [service] = units;
    assert.ok(service && scoreUnit(t, service) <= 3.0, `${service && scoreUnit(t, service)}`);
  });
}

test('who the unit is for follows from the rights that the app is to run with, and says why', async (t) => {
  const home = openHome(t);
  const unitOf = async (rights: object) => {
    home.write('handover.config.json', JSON.stringify({ entry: 'server.js', listen: 80, ...rights }));
    const { answer } = await askJson(home);
    return (answer as Answer).units[0]?.text ?? '';
  };
  const asRoot = await unitOf({ user: 'nobody' });
  assert.match(asRoot, /^# Root: only root can run workers as another user\.\nUser=root$/m);
  const given = await unitOf({ supervisorUser: 'nobody' });
  assert.match(given, /^User=nobody$/m);
  assert.match(given, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
});

test('the unit says what it has to, by the options that hold', async (t) => {
  const { units, socket, written } = await print(t, 'server.js', '--listen', '80', '--drain-timeout', '2m');
  const text = units[0]?.text ?? '';
  assert.deepEqual([socket, written, units.length], ['/run/shop/control.sock', [], 1]);
  for (const line of [
    'Type=notify',
    'NotifyAccess=all',
    'KillMode=process',
    'TimeoutStopSec=135',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    'RuntimeDirectory=shop',
    'RuntimeDirectoryPreserve=restart'
  ])
    assert.ok(text.split('\n').includes(line), line);
  assert.match(text, /^ExecStart=\S*node -- \S+ run --socket \/run\/shop\/control\.sock .*--listen 80 .*server\.js$/m);
  assert.match(text, /^ExecReload=.* reload --socket \/run\/shop\/control\.sock$/m);
  assert.match(text, /^# MemoryDenyWriteExecute= is not possible/m);
  assert.doesNotMatch(text, /^MemoryDenyWriteExecute/m);
});

test('with socket activation systemd has the addresses, and the service what it passes', async (t) => {
  const { units } = await print(
    t,
    '--socket-activation',
    'server.js',
    '--listen',
    '80=3000',
    '--listen',
    'unix:/run/shop/http.sock',
    '--listen-mode',
    '660'
  );
  const [service, first, second] = units;
  assert.match(service?.text ?? '', /^ExecStart=.* --listen systemd:shop=3000 --listen systemd:shop-2 server\.js$/m);
  assert.match(service?.text ?? '', /^Sockets=shop\.socket shop-2\.socket$/m);
  assert.match(service?.text ?? '', /^NonBlocking=yes$/m);
  assert.doesNotMatch(service?.text ?? '', /CAP_NET_BIND/);
  assert.match(first?.text ?? '', /^ListenStream=80\nFileDescriptorName=shop$/m);
  assert.match(
    second?.text ?? '',
    /^ListenStream=\/run\/shop\/http\.sock\nFileDescriptorName=shop-2\nService=shop\.service\nSocketMode=0660$/m
  );
});

test('--print shows the units alone and writes nothing; without it they are written once', async (t) => {
  const home = openHome(t);
  const config = join(home.runtime, 'config');
  const give = (...args: string[]) => home.start(args, { env: { XDG_CONFIG_HOME: config } }).ended();
  const run = ['--user', 'server.js', '--listen', '3000'];
  const shown = await give('install', '--print', ...run);
  assert.match(shown.stdout, /^# \S+\/systemd\/user\/shop\.service\n# Written by handover for shop \(/);
  assert.match(shown.stdout, /WantedBy=default\.target\n+$/);
  assert.deepEqual([shown.code, existsSync(config)], [0, false]);
  assert.match(shown.stderr, /^Note: It runs while you are logged in; .* `loginctl enable-linger`\.\n$/);
  const written = await give('install', ...run);
  assert.match(written.stdout, /Written: \S+shop\.service\nTo start it.*:\n {2}systemctl --user daemon-reload\n/);
  const folder = join(config, 'systemd/user');
  assert.deepEqual(readdirSync(folder), ['shop.service']);
  assert.match((await give('install', ...run)).stdout, /All of it is there already/);
  const other = await give('uninstall', '--user', '--name', 'other');
  assert.deepEqual([other.code, other.stdout], [3, '']);
  assert.match(other.stderr, /There is nothing to uninstall/);
  const removed = await give('uninstall', '--user');
  assert.equal(removed.code, 0, removed.stderr);
  assert.deepEqual(readdirSync(folder), []);
});

test('behind a link the folder is named by it, and the next release may be written to', async (t) => {
  const home = openHome(t);
  mkdirSync(join(home.runtime, 'releases'));
  const current = join(home.runtime, 'releases/current');
  symlinkSync(home.folder, current);
  const { stdout, stderr } = await home.start(['install', '--print', 'server.js'], { cwd: current }).ended();
  assert.match(stdout, new RegExp(`^WorkingDirectory=${current}$`, 'm'), stderr);
  assert.match(stdout, new RegExp(`^ReadWritePaths=-${home.runtime}/releases$`, 'm'));
});

test('what run would refuse is refused, and what systemd cannot hold', async (t) => {
  const home = openHome(t);
  for (const [line, why] of [
    ['install', /Nothing to run/],
    ['install nowhere.js', /does not exist/],
    ['install server.js --workers none', /Option "workers" is not usable/],
    ['install server.js --socket-activation', /no address is known that systemd could hold/],
    ['install server.js --listen systemd --socket-activation', /the address is one of systemd already/],
    ['install --user=shop server.js', /takes no value/]
  ] as const) {
    const { code, stdout, stderr } = await home.handover(...line.split(' '), '--print');
    assert.deepEqual([code, stdout], [2, ''], `${line}: ${stderr}`);
    assert.match(stderr, why);
  }
});

test('the arguments of install and of run are told apart', () => {
  const flags = new Map([
    ['--user', false],
    ['--print', false],
    ['--run-as', true]
  ] as const);
  const split = (line: string) => {
    const { own, run } = splitInstall(line.split(' '), flags, ['--listen', '--user', '--name']);
    return `${own.join(' ')} | ${run.join(' ')}`;
  };
  assert.equal(split('--user server.js --listen 80 --print'), '--user --print | server.js --listen 80');
  assert.equal(split('--run-as shop server.js'), '--run-as shop | server.js');
  assert.equal(split('--user -- server.js --user shop'), '--user | server.js --user shop');
  assert.equal(split('server.js -- --print'), ' | server.js -- --print');
  assert.equal(split('server.js --verbose --print'), ' | server.js --verbose --print');
  assert.equal(split('--name shop --print server.js'), '--print | --name shop server.js');
});

test('a command of a unit is quoted as systemd reads it', () => {
  assert.equal(writeCommand(['/a b', '50%', '$HOME', 'x"y\\', '']), '"/a b" 50%% $$HOME "x\\"y\\\\" ""');
});
