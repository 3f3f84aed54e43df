import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mergeLayers } from '../../src/cli/config.ts';
import { toCalendar } from '../../src/cli/pm2/cron.ts';
import { splitWords } from '../../src/cli/pm2/split-words.ts';
import { cannotVerifyUnits, verifyUnits } from '../support/units.ts';
import { Home } from './run.ts';

// Files of PM2 as people have them, each in a folder of its own.

const FIXTURES = fileURLToPath(new URL('../fixtures/pm2/', import.meta.url));

interface App {
  readonly name: string;
  readonly kind: string;
  readonly why: string | null;
  readonly cwd: string;
  readonly unit: string;
  readonly config: { path: string; values: Record<string, unknown> | null; text: string } | null;
  readonly units: readonly { name: string; path: string; text: string }[];
  readonly enabled: readonly string[];
  readonly deploy: readonly string[];
  readonly taken: readonly string[];
  readonly without: readonly { option: string; value: string | null; instead: string }[];
}

interface Imported {
  readonly home: Home;
  readonly apps: readonly App[];
  readonly answer: Record<string, unknown>;
}

async function importAll(t: TestContext, path: string, ...flags: string[]): Promise<Imported> {
  const home = new Home(t);
  cpSync(join(FIXTURES, path, '..'), home.folder, { recursive: true });
  const { code, answer } = await home.json('import', basename(path), ...flags);
  assert.equal(code, 0, JSON.stringify(answer));
  const apps = answer.apps as App[];
  for (const { config } of apps) if (config?.values) mergeLayers([{ source: config.path, values: config.values }]);
  return { home, apps, answer };
}

const only = ([app, ...others]: readonly App[]): App => {
  assert.ok(app && others.length === 0);
  return app;
};
const named = (apps: readonly App[], name: string): App =>
  apps.find((app) => app.name === name) ?? assert.fail(`no ${name}`);
/** The fixtures are files of PM2 alone, without the apps. */
const optionsOf = ({ without }: App): string[] =>
  without.filter(({ instead }) => !instead.startsWith('there is no f')).map(({ option }) => option);
const unitOf = ({ units }: App, ending = '.service'): string =>
  units.find(({ name }) => name.endsWith(ending))?.text ?? assert.fail(`no ${ending}`);

test('an app in cluster mode becomes a config, a service and a timer, with the environment that is asked for', async (t) => {
  const { apps, answer, home } = await importAll(t, 'cluster/ecosystem.config.js', '--env-name', 'production');
  const app = only(apps);
  assert.deepEqual(app.config?.values, {
    name: 'bakery-api',
    entry: 'server.js',
    workers: 'max',
    ready: 'signal',
    readyTimeout: '50s',
    drainTimeout: '5s',
    maxMemory: '1GB',
    env: { NODE_ENV: 'production', PORT: '8080' }
  });
  assert.equal(app.config.path, join(home.folder, 'handover.config.json'));
  assert.deepEqual(answer.environments, ['staging', 'production']);
  assert.deepEqual(app.enabled, ['bakery-api.service', 'bakery-api-by-the-clock.timer']);
  assert.match(unitOf(app), new RegExp(`^StandardOutput=append:${home.folder}/logs/out.log$`, 'm'));
  assert.match(unitOf(app), new RegExp(`^StandardError=append:${home.folder}/logs/err.log$`, 'm'));
  assert.match(unitOf(app), /^TimeoutStopSec=20$/m);
  assert.match(unitOf(app, '.timer'), /^OnCalendar=\*-\*-\* 02:00:00$/m);
  assert.match(unitOf(app, 'clock.service'), /^ExecStart=.* reload --socket \/run\/bakery-api\/control\.sock$/m);
  assert.deepEqual(optionsOf(app), ['env_staging', 'log_date_format', 'merge_logs', 'max_restarts', 'min_uptime']);
  assert.doesNotMatch(JSON.stringify(app.without), /3001/, 'no value of an environment is shown');
});

test('without --env-name, the environments that are there are named', async (t) => {
  const { apps } = await importAll(t, 'cluster/ecosystem.config.js');
  assert.deepEqual(only(apps).config?.values?.env, { NODE_ENV: 'development', PORT: '3000' });
  assert.deepEqual(optionsOf(only(apps)).slice(0, 2), ['env_staging', 'env_production']);
});

test('of several apps in one folder each has a config of its own; jobs and other programs get units without handover', async (t) => {
  const { apps, home } = await importAll(t, 'folder-of-jobs/ecosystem.config.cjs');
  const [orders, admin, invoices, stock, tidy] = ['orders', 'admin', 'invoices', 'stock', 'tidy'].map((name) =>
    named(apps, name)
  ) as [App, App, App, App, App];
  assert.equal(orders.config?.path, join(home.folder, 'handover/orders/handover.config.json'));
  assert.equal(orders.config.values?.cwd, '../..');
  assert.match(unitOf(orders), new RegExp(`^WorkingDirectory=${home.folder}/handover/orders$`, 'm'));
  assert.deepEqual(admin.config?.values, { name: 'admin', entry: 'admin.js', workers: 2, cwd: '../..' });
  assert.deepEqual([invoices.kind, stock.kind, tidy.kind], ['job', 'program', 'job']);
  assert.equal(invoices.config?.text, 'TOKEN="a \\"quoted\\" \\$ecret"\n');
  assert.match(unitOf(invoices), /^Type=oneshot$/m);
  assert.match(unitOf(invoices, '.timer'), /^OnCalendar=Mon,Tue,Wed,Thu,Fri \*-\*-\* 08\.\.16:00:00$/m);
  assert.deepEqual(invoices.enabled, ['invoices.timer']);
  assert.match(unitOf(stock), new RegExp(`^ExecStart=${home.folder}/venv/bin/python \\./stock\\.py$`, 'm'));
  assert.match(unitOf(stock), /^MemoryMax=200M$/m);
  assert.match(stock.why ?? '', /python is not Node/);
  assert.match(unitOf(tidy), /^ExecStart=\S*bash \.\/tidy\.sh$/m);
});

test('npm start is the file that it starts, unless only a shell could run it', async (t) => {
  const { apps } = await importAll(t, 'npm-start/ecosystem.config.js');
  const [start, worker, all, pages] = apps as [App, App, App, App];
  assert.deepEqual(start.config?.values, {
    name: 'storefront',
    entry: 'server.js',
    args: ['--quiet'],
    nodeOptions: ['--enable-source-maps'],
    cwd: '../..',
    env: { NODE_ENV: 'production', PORT: '3000' }
  });
  assert.equal(worker.config?.values?.entry, 'worker.ts');
  assert.deepEqual(worker.config?.values?.nodeOptions, ['--import=tsx']);
  assert.deepEqual(worker.config?.values?.env, { ROLE: 'worker' });
  assert.deepEqual([all.kind, all.config], ['program', null]);
  assert.match(all.why ?? '', /`npm run all` is a line for a shell: npm run build && node server\.js/);
  assert.equal(pages.config?.values?.entry, 'node_modules/next/dist/bin/next');
  assert.deepEqual(pages.config?.values?.args, ['start', '-p', '3001']);
});

test('JSON may have comments and commas as PM2 takes them, and says as whom it runs', async (t) => {
  const app = only((await importAll(t, 'comments/process.json')).apps);
  assert.equal(app.config?.path, '/srv/ticker/handover.config.json');
  assert.deepEqual(app.config?.values, {
    name: 'ticker',
    entry: 'app.js',
    env: { NODE_ENV: 'production', LISTENING_PORT: '30303', FEED: '{"host":"feed.example","tries":3}' }
  });
  assert.match(unitOf(app), /^User=ticker$/m);
  assert.deepEqual(optionsOf(app), ['max_restarts', 'log_date_format']);
});

test('YAML is read, with its anchors', async (t) => {
  const { apps } = await importAll(t, 'yaml/process.yml', '--env-name', 'test');
  const [rooms, mailer] = apps as [App, App];
  assert.deepEqual(rooms.config?.values?.env, { NODE_ENV: 'production', PORT: '4001' });
  assert.deepEqual(optionsOf(rooms), ['watch']);
  assert.deepEqual(mailer.config?.values, {
    name: 'mailer',
    entry: 'dist/mailer.js',
    args: ['--queue', 'night mail'],
    node: '/opt/node-22/bin/node',
    cwd: '../..'
  });
});

test('a package.json with "pm2" is read; a port below 1024 may be bound', async (t) => {
  const app = only((await importAll(t, 'manifest/package.json', '--env-name', 'production')).apps);
  assert.deepEqual(app.config?.values?.env, { NODE_ENV: 'production', PORT: '80' });
  assert.match(unitOf(app), /^CapabilityBoundingSet=CAP_NET_BIND_SERVICE\b/m);
});

test('an ES module is read, and what has no counterpart is named, unknown names too', async (t) => {
  const app = only((await importAll(t, 'module/ecosystem.config.mjs')).apps);
  const workers = Math.max(1, availableParallelism() - 1);
  assert.deepEqual(app.config?.values, {
    name: 'chat',
    entry: 'src/index.mjs',
    ...(workers === 1 ? {} : { workers }),
    nodeOptions: ['--enable-source-maps']
  });
  const names = [
    'instances',
    'shutdown_with_message',
    'treekill',
    'instance_var',
    'health_check',
    'namespace',
    'colour'
  ];
  assert.deepEqual(optionsOf(app), names);
  assert.match(app.without.at(-1)?.instead ?? '', /no option of PM2 that is known/);
});

test('bun is not Node: it is kept by systemd alone, as it was', async (t) => {
  const { apps } = await importAll(t, 'bun/ecosystem.config.js');
  const [fast, faster] = apps as [App, App];
  assert.deepEqual([fast.kind, fast.why, fast.unit], ['program', 'bun is not Node', 'fast']);
  assert.match(unitOf(fast), /^ExecStart=\/\S*bun run server\.ts$/m);
  assert.match(unitOf(fast), /^EnvironmentFile=\/srv\/fast\/handover\/fast\/environment$/m);
  assert.match(unitOf(fast), /^TimeoutStopSec=3$/m);
  assert.match(unitOf(fast), /^StandardError=null$/m);
  assert.match(unitOf(fast, 'clock.service'), /^ExecStart=systemctl restart fast\.service$/m);
  assert.match(unitOf(faster), new RegExp(`^ExecStart=${homedir()}/\\.bun/bin/bun index\\.ts$`, 'm'));
});

test('what runs TypeScript becomes an option of Node, an env file an option of handover', async (t) => {
  const { apps } = await importAll(t, 'typescript/ecosystem.config.cjs');
  const [bot, api, gateway, old] = apps as [App, App, App, App];
  assert.equal(bot.config?.values?.envFile, '.env');
  assert.deepEqual(api.config?.values?.nodeOptions, [
    '--require=ts-node/register',
    '--require=tsconfig-paths/register'
  ]);
  assert.equal(gateway.config?.values?.entry, 'src/gateway.ts');
  assert.deepEqual(gateway.config?.values?.nodeOptions, ['--import=tsx']);
  assert.deepEqual(optionsOf(old), ['interpreter']);
  assert.match(old.without[0]?.instead ?? '', /Node 16\.20\.0 is not looked for/);
});

test('a port that counted up is answered for each process; the commands of a deploy go before its reload', async (t) => {
  const { apps, answer } = await importAll(t, 'ports/ecosystem.config.js');
  const app = only(apps);
  assert.deepEqual(app.config?.values?.listen, [4100, 4101, 4102]);
  assert.deepEqual(app.config?.values?.env, { PORT: '4100', VERSION: '4.2.0' });
  assert.deepEqual(app.deploy, ['npm ci', 'npm run build', 'handover reload --socket /run/auction/control.sock']);
  assert.deepEqual(optionsOf(app), ['exec_mode', 'increment_var', 'exp_backoff_restart_delay']);
  assert.deepEqual(
    (answer.without as { option: string }[]).map(({ option }) => option),
    ['deploy']
  );
});

test('a name with a slash is one of a unit all the same; what watches is said', async (t) => {
  const app = only((await importAll(t, 'express/ecosystem.config.js')).apps);
  assert.deepEqual([app.name, app.unit], ['@club/site', 'club-site']);
  assert.deepEqual(app.config?.values, {
    name: '@club/site',
    entry: 'bin/www',
    workers: 'max',
    readyTimeout: '10s',
    maxMemory: '300MB'
  });
  assert.deepEqual(optionsOf(app), ['watch']);
});

test('a list, and a function that gives one; two apps of one name are told apart', async (t) => {
  const { apps } = await importAll(t, 'list/pm2.config.js');
  assert.deepEqual(
    apps.map(({ unit }) => unit),
    ['one', 'one-2']
  );
  assert.deepEqual(apps[0]?.config?.values?.args, ['--name', 'number one']);
  assert.equal(apps[1]?.config?.values?.name, 'one-2');
  assert.deepEqual(apps[1]?.config?.values?.env, { A: 'true', C: '3' });
});

for (const folder of readdirSync(FIXTURES)) {
  const file = readdirSync(join(FIXTURES, folder)).find((name) => /config\.|process\.|package\.json$/.test(name)) ?? '';
  test(`systemd takes the units of ${folder}/${file}`, { skip: cannotVerifyUnits() }, async (t) => {
    const { apps } = await importAll(t, `${folder}/${file}`);
    verifyUnits(
      t,
      apps.flatMap(({ units }) => units)
    );
  });
}

test('nothing is written and nothing is started, unless it is asked for', async (t) => {
  const { home, apps } = await importAll(t, 'cluster/ecosystem.config.js');
  assert.deepEqual(readdirSync(home.folder).sort(), ['ecosystem.config.js', 'package.json', 'server.js']);
  const { stdout, code } = await home.handover('import', 'ecosystem.config.js');
  assert.equal(code, 0);
  assert.match(stdout, /Nothing was written, and nothing was started/);
  assert.match(stdout, /log_date_format: "YYYY-MM-DD HH:mm:ss Z"\n {4}journald has the time/);
  for (const { text } of only(apps).units) assert.ok(stdout.includes(text.slice(text.indexOf('\n') + 1).trimEnd()));
});

test('with --install the files are written, and `handover run` starts what they say', async (t) => {
  const { home } = await importAll(t, 'list/pm2.config.js');
  home.write(
    'ecosystem.config.js',
    `module.exports = { apps: [{ name: 'shop', script: 'server.js', instances: 2, env: { GIVEN: 'by pm2' }, out_file: 'logs/out.log' }] };`
  );
  const units = join(home.runtime, 'config');
  const install = (...args: string[]) =>
    home
      .start(['import', 'ecosystem.config.js', '--install', '--user', ...args], { env: { XDG_CONFIG_HOME: units } })
      .ended();
  const { code, stdout, stderr } = await install();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Written:\n {2}.*handover\.config\.json\n {2}.*shop\.service\n/);
  assert.ok(existsSync(join(units, 'systemd/user/shop.service')));
  assert.ok(existsSync(join(home.folder, 'logs')));
  assert.equal(statSync(join(home.folder, 'handover.config.json')).mode & 0o777, 0o600);
  await home.run();
  const { env } = await home.ask();
  assert.equal(env, 'by pm2');
  const again = await install();
  assert.match(again.stdout, /All files are there as they should be/);
  home.write('handover.config.json', '{ "workers": 4 }');
  const refused = await install();
  assert.deepEqual([refused.code, refused.stdout], [3, '']);
  assert.match(refused.stderr, /^HANDOVER_ERR_REFUSED_INSTALL: .*handover\.config\.json is not written over/);
  assert.equal(readFileSync(join(home.folder, 'handover.config.json'), 'utf8'), '{ "workers": 4 }');
});

test('a file that is none of PM2, and names that are not in it, are refused', async (t) => {
  const home = new Home(t);
  mkdirSync(join(home.folder, 'folder'));
  home.write('broken.config.js', 'module.exports = {\n  apps: [ }\n};\n');
  home.write('broken.json', '{ "apps": [ }');
  home.write('broken.yml', 'apps: [\n');
  home.write('empty.config.js', 'module.exports = {};');
  home.write('throws.config.js', "throw new Error('no secrets here');");
  home.write('good.config.js', "module.exports = { apps: [{ script: 'a.js', env_a: {} }] };");
  const refused: [string, RegExp, number][] = [
    ['nowhere.config.js', /no such file|ERR_MODULE_NOT_FOUND|ENOENT/, 2],
    ['nowhere.json', /there is no such file/, 2],
    ['folder', /Cannot import/, 2],
    ['broken.config.js', /SyntaxError: .*\(line 2\)/, 2],
    ['broken.json', /SyntaxError/, 2],
    ['broken.yml', /YAMLParseError/, 2],
    ['empty.config.js', /it has no app in it/, 2],
    ['throws.config.js', /Error: no secrets here/, 2],
    ['package.json', /it has no app in it.*under "pm2"/, 2],
    ['good.config.js --env-name b', /no app has an "env_b".*\nThere are: a\./, 2],
    ['good.config.js --only b', /there is no app "b".*\nThere are: a\./, 2]
  ];
  for (const [line, why, code] of refused) {
    const outcome = await home.handover('import', ...line.split(' '));
    assert.deepEqual([outcome.code, outcome.stdout], [code, ''], `${line}: ${outcome.stderr}`);
    assert.match(outcome.stderr, why, line);
  }
});

test('what cannot be read is not said to be taken over, and files that are not there are named', async (t) => {
  const home = new Home(t);
  const app = { script: 'slip.js', cwd: './app', kill_timeout: '5s', cron_restart: 'whenever', listen_timeout: 3000 };
  home.write('process.json', JSON.stringify({ apps: [app] }));
  const read = only((await home.json('import', 'process.json')).answer.apps as App[]);
  assert.deepEqual(read.taken, ['script', 'cwd', 'listen_timeout']);
  assert.deepEqual(
    read.without.map(({ option }) => option),
    ['cron_restart', 'kill_timeout', 'cwd']
  );
  mkdirSync(join(home.folder, 'app'));
  const again = only((await home.json('import', 'process.json')).answer.apps as App[]);
  assert.match(again.without.at(-1)?.instead ?? '', /^there is no file .*slip\.js/);
});

test('a file that would end who reads it is refused', async (t) => {
  const home = new Home(t);
  home.write('ecosystem.config.cjs', 'process.exit(0);');
  const { code, answer } = await home.json('import', 'ecosystem.config.cjs');
  assert.equal(code, 2);
  assert.match(JSON.stringify(answer), /it calls process\.exit\(0\)/);
});

test('a pattern of cron is written as a timer has it, or not at all', () => {
  const pairs: [string, readonly string[] | null][] = [
    ['0 3 * * *', ['*-*-* 03:00:00']],
    ['*/30 * * * *', ['*-*-* *:00/30:00']],
    ['15,45 8-16 * * 1-5', ['Mon,Tue,Wed,Thu,Fri *-*-* 08..16:15,45:00']],
    ['0 7 1,15 * *', ['*-*-01,15 07:00:00']],
    ['0 0 1 jan *', ['*-01-01 00:00:00']],
    ['0 12 1 * MON', ['*-*-01 12:00:00', 'Mon *-*-* 12:00:00']],
    ['10 0 4 * * 7', ['Sun *-*-* 04:00:10']],
    ['0-30/10 * * * *', ['*-*-* *:00..30/10:00']],
    ['@daily', ['*-*-* 00:00:00']],
    ['61 * * * *', null],
    ['* * *', null],
    ['every day', null]
  ];
  for (const [pattern, expected] of pairs) assert.deepEqual(toCalendar(pattern), expected, pattern);
  if (cannotVerifyUnits()) return;
  for (const at of pairs.flatMap(([, lines]) => lines ?? []))
    assert.equal(spawnSync('systemd-analyze', ['calendar', at]).status, 0, at);
});

test('words are told apart as a shell does', () => {
  assert.deepEqual(splitWords(`a "b c" d\\ e 'f "g"' --h="i j" ""`), ['a', 'b c', 'd e', 'f "g"', '--h=i j', '']);
});

test('a name with spaces can be pasted into a shell', async (t) => {
  const home = new Home(t);
  home.write('ecosystem.json', JSON.stringify({ apps: [{ name: "the shop's", script: 'server.js' }] }));
  const { stdout } = await home.handover('import', 'ecosystem.json');
  assert.ok(stdout.includes("`pm2 delete 'the shop'\\''s'`"), stdout);
});
