import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { CODES } from '../src/errors.ts';
import { OPTIONS, type OptionName } from '../src/options/options.ts';
import { specOf } from '../src/options/read-options.ts';
import { imports, isOurs, packageOf, roomOf, root, sources, testSources, withoutComments } from './support/sources.ts';

// The rules of the house: who may import whom, what lives where, how long a file may be. They are read off the source.

const LONGEST = 250;

// A room may import those named here, and itself; "types" means that nothing of it may be left at run time.
const MAY_IMPORT: Record<string, readonly string[]> = {
  index: ['supervise', 'errors', 'control (types)', 'core (types)'],
  supervise: ['supervisor', 'options', 'errors', 'host', 'worker', 'control'],
  // The only room that sees them all.
  supervisor: ['core', 'host', 'control', 'admin', 'fleet', 'options', 'protocol', 'errors', 'version'],
  cli: ['supervise', 'control', 'fleet', 'options', 'errors', 'version', 'core (types)'],
  admin: ['core', 'errors', 'host', 'options (types)'],
  fleet: ['errors', 'control (types)', 'options', 'core (types)'],
  control: ['options', 'errors', 'host', 'core (types)', 'supervisor (types)'],
  host: ['protocol', 'internals', 'options', 'errors', 'core'],
  worker: ['protocol', 'internals', 'errors', 'core'],
  core: ['errors', 'options (types)'],
  options: ['errors', 'core'],
  protocol: [],
  internals: [],
  errors: [],
  version: []
};

// Files that stand in no room: the public door, and what every room shares.
const AT_THE_ROOT = ['errors.ts', 'index.ts', 'supervise.ts', 'version.ts'];

// What `ls` shows of a clone; what is installed, built or measured there is not kept.
const AT_THE_TOP = [
  ...[
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'bench',
    'biome.json',
    'docs',
    'examples'
  ],
  ...['package-lock.json', 'package.json', 'src', 'test', 'tsconfig.json', 'tsup.config.ts']
];
const NOT_KEPT = /^(node_modules|dist)$|\.tgz$/;

// The same thing seen from two sides may have one name in two rooms; two things may not.
const SAME_THING: Record<string, string> = {
  'claims.ts': 'the values of clients that processes know: how many at the most, and which process knows which',
  'canary.ts': 'the canary: its option, its rule and its command',
  'index.ts': 'the public doors of the package',
  'history.ts': 'the history: as the core keeps it, and the command that shows it',
  'rollback.ts': 'the rollback: its rule and its command',
  'retire.ts': 'the retiring: its rule and its command',
  'scale.ts': 'the scaling: its rule and its command',
  'stop.ts': 'the stop: its rule and its command',
  'status.ts': 'the status: how it is made, and the command that shows it',
  'upgrade.ts': 'the upgrade of the supervisor: how it is done, and its command',
  'hold.ts': 'the holding of connections: decided in the core, done in the worker',
  'while-active.ts': 'the tasks of whileActive: decided in the core, run in the worker'
};

// Words that only the authors understood. Each has given way to the standard word behind it.
const RETIRED: Record<string, string> = {
  outlook: 'status',
  roster: 'workers',
  seat: 'worker record',
  chronicle: 'state file',
  chapter: 'history entry',
  parcel: 'transfer',
  'heirs?': 'receiver',
  extent: 'surge',
  duty: 'while-active',
  patience: 'handover budget',
  prover: 'checker',
  passage: 'before-cutover',
  staff: 'workers',
  veiled: 'hidden'
};

// One package, one file.
const OWNERS: Record<string, readonly string[]> = {
  undici: ['host/checks/private-client.ts', 'fleet/etcd/gateway.ts'],
  pidusage: ['host/measure/usage.ts'],
  'signal-exit': ['host/exit.ts'],
  ms: ['options/durations.ts'],
  leven: ['options/nearest-name.ts'],
  yaml: ['cli/pm2/read-ecosystem.ts'],
  commander: ['cli/commander.ts'],
  'prom-client': ['admin/metrics.ts'],
  uplot: ['admin/page/charts.ts']
};

test('a room imports from those rooms only that its rule names', () => {
  const strangers = imports.filter(({ from, to, typesOnly }) => {
    if (!to.endsWith('.ts') || roomOf(from) === roomOf(to)) return false;
    const may = MAY_IMPORT[roomOf(from)] ?? [];
    return !may.includes(roomOf(to)) && !(typesOnly && may.includes(`${roomOf(to)} (types)`));
  });

  assert.deepEqual(strangers, []);
});

test('every room has a rule, and no rule is about a room that is gone', () => {
  assert.deepEqual([...new Set([...sources.keys()].map(roomOf))].sort(), Object.keys(MAY_IMPORT).sort());
});

test('a file stands in a room; at the root is only what has its reason to be there', () => {
  assert.deepEqual([...sources.keys()].filter((path) => !path.includes('/')).sort(), AT_THE_ROOT);
});

test('at the top of the repository is nothing but what has its place there', () => {
  const found = readdirSync(root).filter((name) => !name.startsWith('.') && !NOT_KEPT.test(name));
  assert.deepEqual(found.sort(), AT_THE_TOP);
});

test('two files of one name in different rooms are the same thing seen from two sides', () => {
  const names = [...sources.keys()].map((path) => basename(path));
  const shared = new Set(names.filter((name, at) => names.indexOf(name) !== at));

  assert.deepEqual([...shared].sort(), Object.keys(SAME_THING).sort());
});

test('a word that was retired does not come back', () => {
  const parts = (text: string) => text.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  const found = [...sources, ...testSources].flatMap(([path, text]) =>
    path.endsWith('house.test.ts')
      ? []
      : Object.entries(RETIRED)
          .filter(([word]) => new RegExp(`\\b${word}\\b`).test(parts(`${path} ${text}`)))
          .map(([word, instead]) => `${path}: ${word}; say ${instead}`)
  );

  assert.deepEqual(found, []);
});

test('of the host, the control socket takes only what it needs of unix sockets', () => {
  const taken = imports
    .filter(({ from, to }) => roomOf(from) === 'control' && roomOf(to) === 'host')
    .map(({ to }) => to);

  assert.deepEqual([...new Set(taken)], ['host/unix.ts']);
});

test('of the workers, the supervisor takes only the way to tell whether it is one', () => {
  const taken = imports
    .filter(({ from, to }) => roomOf(to) === 'worker' && roomOf(from) !== 'worker')
    .map(({ to }) => to);

  assert.deepEqual([...new Set(taken)], ['worker/globals.ts']);
});

test('of the core, worker and host take only the buckets of durations, and by what a request is routed', () => {
  const taken = imports
    .filter(
      ({ from, to, typesOnly }) => ['worker', 'host'].includes(roomOf(from)) && roomOf(to) === 'core' && !typesOnly
    )
    .map(({ to }) => to);

  assert.deepEqual([...new Set(taken)], ['core/verdict/histogram.ts', 'core/routing/choose.ts']);
});

test('what ships into the app imports no package', () => {
  for (const room of ['worker', 'core', 'protocol', 'internals', 'errors']) {
    const packages = imports.filter(({ from, to }) => roomOf(from) === room && packageOf(to) !== null);
    assert.deepEqual(packages, []);
  }
});

test('the core has no clock, no chance, no waiting and nothing of Node', () => {
  for (const [path, text] of sources) {
    if (roomOf(path) !== 'core') continue;
    assert.doesNotMatch(
      withoutComments(text),
      /\b(Date\.now|new Date\(\)|performance|Math\.random|setTimeout|setInterval|setImmediate|process|async|await|Promise)\b/,
      path
    );
    assert.deepEqual(
      imports.filter(({ from, to }) => from === path && !isOurs(to)),
      []
    );
  }
});

test('each package has one file that uses it', () => {
  const strangers = imports.filter(({ from, to }) => {
    const name = packageOf(to);
    if (name === null) return false;
    return !(OWNERS[name] ?? []).some((owner) => (owner.endsWith('/') ? from.startsWith(owner) : from === owner));
  });

  assert.deepEqual(strangers, []);
});

test('every dependency is used, and everything used is a dependency', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };
  const used = imports.map(({ to }) => packageOf(to)).filter((name) => name !== null);

  assert.deepEqual([...new Set(used)].sort(), Object.keys(dependencies).sort());
});

test('no import goes round in a circle', () => {
  const targets = (from: string) =>
    imports.filter((one) => one.from === from && one.to.endsWith('.ts') && !one.typesOnly).map(({ to }) => to);
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `a circle: ${[...way, file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const target of targets(file)) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
});

for (const [path, text] of sources) {
  test(`${path} is no longer than ${LONGEST} lines`, () => {
    const lines = text.trimEnd().split('\n').length;
    assert.ok(lines <= LONGEST, `${lines} lines`);
  });
}

test('no file is a drawer for everything', () => {
  assert.deepEqual(
    [...sources.keys()].filter(
      (path) => /^(utils?|common|helpers?|misc|shared)\.ts$/.test(basename(path)) && path !== 'core/rules/rule.ts'
    ),
    []
  );
});

test('only the command ends the process or writes to the console', () => {
  // A worker whose app is done would end with code 13, for the promise of supervise() never settles there.
  const allowed = ['supervise.ts: process.exit'];
  const found = [...sources].flatMap(([path, text]) => {
    if (roomOf(path) === 'cli') return [];
    return [...withoutComments(text).matchAll(/\b(process\.exit\b|console\.)/g)].map(([use]) => `${path}: ${use}`);
  });

  assert.deepEqual(found, allowed);
});

test('only erasable TypeScript is used', () => {
  for (const [path, text] of sources) {
    assert.doesNotMatch(withoutComments(text), /^\s*(export )?(declare )?(const )?(enum|namespace) \w/m, path);
    assert.doesNotMatch(withoutComments(text), /constructor\([^)]*\b(public|private|protected|readonly) /, path);
  }
});

test('what Node does not document is used in one room', () => {
  const INSIDE =
    /\b(_handle|_connections|_pipeName|_httpMessage|_server|_listen2|_createServerHandle|internalMessage|unconsume|unrefCounted|writeQueueSize|readStop|kConnections|_events|binding)\b/g;
  // The worker puts its gate in the place of a server's handle, through insideServer(); an app may give a handle itself.
  const allowed = [
    'worker/listen/listen-arguments.ts: _handle',
    'worker/listen/servers.ts: _handle',
    'worker/listen/servers.ts: _pipeName',
    'worker/rehearsal/stage.ts: _handle'
  ];
  const found = [...sources].flatMap(([path, text]) => {
    if (roomOf(path) === 'internals') return [];
    return [...withoutComments(text).matchAll(INSIDE)].map(([use]) => `${path}: ${use}`);
  });

  assert.deepEqual(
    [...new Set(found)].filter((use) => !/host\/listeners\/listeners\.ts: binding/.test(use)).sort(),
    allowed
  );
  assert.match(sources.get('worker/listen/servers.ts') ?? '', /insideServer\(/);
});

for (const name of Object.keys(CODES)) {
  test(`${name} is thrown somewhere`, () => {
    const users = [...sources].filter(
      ([path, text]) => path !== 'errors.ts' && withoutComments(text).includes(`'${name}'`)
    );
    const ownUse = withoutComments(sources.get('errors.ts') ?? '').includes(`'${name}'`);
    assert.ok(users.length > 0 || ownUse);
  });
}

test('every file that the page on the architecture names is there', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const named = [...text.matchAll(/`([a-z0-9/-]+\.ts)`/g)].map(([, path = '']) => path);
  const known = [...sources.keys(), ...[...testSources.keys()].map((path) => `test/${path}`)];
  const isKnown = (path: string) => known.some((one) => one === path || one.endsWith(`/${path}`));

  assert.ok(named.length > 50, `${named.length} files`);
  assert.deepEqual(
    named.filter((path) => !isKnown(path)),
    []
  );
});

const page = readFileSync(join(root, 'docs/options-and-errors.md'), 'utf8');

for (const name of Object.keys(OPTIONS) as OptionName[]) {
  const { value, fallback, written = fallback } = specOf(name);
  test(`the option ${name} is in the docs, with its flag and its default`, () => {
    const row =
      page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? assert.fail(`no row for ${name}`);
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    assert.ok(row.includes(`\`${flag} ${value.replaceAll('|', '\\|')}\``), row);
    if (typeof written === 'number' || typeof written === 'string') assert.ok(row.includes(`\`${written}\``), row);
  });
}

test('every error code is in the docs', () => {
  assert.deepEqual(
    Object.keys(CODES).filter((name) => !page.includes(`\`${name}\``)),
    []
  );
});
