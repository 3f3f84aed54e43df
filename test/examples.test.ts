import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { skipWithoutOpenssl } from './support/certificate.ts';
import { withoutHaproxy } from './support/haproxy.ts';
import { ask, Client, Raw, type Target, toTarget } from './support/http.ts';
import { makeFolder } from './support/service.ts';
import { inTime, isAlive, until } from './support/wait.ts';

// Each example as its README says, only on a port of the system's choice.

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(root, 'dist/cli.js');

interface Done {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Status {
  readonly supervisor: { readonly pid: number };
  readonly listeners: readonly { readonly address: string }[];
  readonly active: Generation | null;
  readonly standby: Generation | null;
}

interface Generation {
  readonly generation: number;
  readonly workers: readonly { readonly pid: number; readonly inFlight: number }[];
}

/** An example that runs, and the command line for it. */
class Example {
  readonly target: Target;
  readonly #env: NodeJS.ProcessEnv;
  readonly #cwd: string;
  readonly #supervisor: ChildProcess;

  constructor(target: Target, supervisor: ChildProcess, env: NodeJS.ProcessEnv, cwd: string) {
    this.target = target;
    this.#supervisor = supervisor;
    this.#env = env;
    this.#cwd = cwd;
  }

  /** Gives a command as an operator would, and takes what it says with `--json`. */
  async order<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const { stdout, ...done } = await this.attempt(process.execPath, CLI, ...args, '--json');
    assert.ok(stdout.endsWith('}\n'), `handover ${args.join(' ')}: ${JSON.stringify({ stdout, ...done })}`);
    return JSON.parse(stdout) as T;
  }

  /** Runs a program in the folder of the example. A failure is an answer too. */
  async attempt(program: string, ...args: string[]): Promise<Done> {
    const options = { cwd: this.#cwd, env: this.#env };
    const done = run(program, args, options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }: Done) => ({ code, stdout, stderr })
    );
    return inTime(done, `the end of ${program} ${args.join(' ')}`);
  }

  status(): Promise<Status> {
    return readStatus(this.#env);
  }

  async pidsOf(which: 'active' | 'standby'): Promise<number[]> {
    return (await this.status())[which]?.workers.map(({ pid }) => pid) ?? [];
  }

  /** Stops it, and looks at what is left: no process, no socket, nobody on the port. */
  async stop(): Promise<void> {
    const pids = [...(await this.pidsOf('active')), ...(await this.pidsOf('standby'))];
    assert.ok(pids.length > 0);
    const exit = inTime(once(this.#supervisor, 'exit'), 'the exit of the supervisor');
    assert.equal((await this.order('stop')).ok, true);
    assert.deepEqual(await exit, [0, null]);
    assert.deepEqual(pids.filter(isAlive), []);
    const left = readdirSync(join(this.#env.XDG_RUNTIME_DIR ?? '', 'handover'));
    assert.deepEqual(
      left.filter((file) => !file.endsWith('.state.json')),
      []
    );
    await assert.rejects(ask(this.target), { code: 'ECONNREFUSED' });
  }
}

/** What `handover status --json` says of the one service there is, without a process of the command for it. */
async function readStatus({ XDG_RUNTIME_DIR = '' }: NodeJS.ProcessEnv): Promise<Status> {
  const folder = join(XDG_RUNTIME_DIR, 'handover');
  const [socket = '', ...others] = readdirSync(folder).filter((file) => file.endsWith('.sock'));
  assert.deepEqual(others, []);
  return JSON.parse((await ask({ socketPath: join(folder, socket) }, '/status')).body) as Status;
}

/** Starts an example, and waits until it serves. What is still there at the end of the test is ended. */
async function start(t: TestContext, args: readonly string[], cwd = root): Promise<Example> {
  const runtime = join(makeFolder(t), 'run');
  mkdirSync(runtime, { mode: 0o700 });
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, PORT: _port, ...rest } = process.env;
  const env = { ...rest, XDG_RUNTIME_DIR: runtime, LISTEN: '127.0.0.1:0' };
  const supervisor = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
    const exit = once(supervisor, 'exit');
    supervisor.kill('SIGTERM');
    await inTime(exit, `the end of ${args.join(' ')}`);
  });
  const said: string[] = [];
  const started = new Promise<void>((done, fail) => {
    createInterface(supervisor.stderr).on('line', (line) => {
      said.push(line);
      if (line.includes('"event":"started"')) done();
    });
    supervisor.once('exit', (code) => fail(new Error(`exited with ${code}:\n${said.join('\n')}`)));
  });
  await inTime(started, `the start of ${args.join(' ')}`);
  const [listener] = (await readStatus(env)).listeners;
  return new Example(toTarget(listener?.address ?? ''), supervisor, env, cwd);
}

/** The command of a README that starts the example, for a port of the system's choice. */
function readStart(folder: string): string[] {
  const readme = readFileSync(join(root, 'examples', folder, 'README.md'), 'utf8');
  const [, command] =
    /^(?:npx handover|node) +(.*?) *(?:#.*)?$/m.exec(readme) ?? assert.fail('no command that starts it');
  const args = (command ?? '').split(' ');
  if (args[0] !== 'run') return args;
  assert.equal(args[args.indexOf('--listen') + 1], '3000');
  return [CLI, ...args.with(args.indexOf('--listen') + 1, '127.0.0.1:0'), '--log', 'json'];
}

/** A client with one connection, on which it never lets the app's keep-alive limit pass. */
class Visitor {
  readonly #client: Client;
  readonly #timer: NodeJS.Timeout;
  readonly #failures: unknown[] = [];

  constructor(t: TestContext, { target }: Example) {
    this.#client = new Client(target);
    this.#timer = setInterval(() => this.#client.get().catch((error) => this.#failures.push(error)), 250);
    t.after(() => this.#end());
  }

  async get(): Promise<string> {
    return (await this.#client.get()).body;
  }

  /** Goes on asking until the answer is such. A request that is sent at once may still be answered where it was. */
  sees(fits: (body: string) => boolean, what: string): Promise<true> {
    return until(async () => fits(await this.get()), what);
  }

  /** Ends its visit, in which no request has failed and no connection was needed but the first. */
  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.get(); // after those that are on their way
    assert.deepEqual(this.#failures, []);
    assert.equal(this.#client.sockets, 1, 'the client has never reconnected');
    this.#end();
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#client.close();
  }
}

/** The process that an answer names. */
function readPid(body: string): number {
  return Number(/process (\d+)\n$/.exec(body)?.[1] ?? assert.fail(`no process in ${body}`));
}

/** Reload and rollback under a client that keeps its one connection. */
async function goThereAndBack(t: TestContext, example: Example): Promise<void> {
  const visitor = new Visitor(t, example);
  const before = await example.pidsOf('active');
  assert.ok(before.includes(readPid(await visitor.get())));

  const reload = await example.order('reload');
  assert.deepEqual([reload.ok, reload.from, reload.to], [true, 1, 2]);
  const after = await example.pidsOf('active');
  assert.ok(!after.some((pid) => before.includes(pid)));
  await visitor.sees((body) => after.includes(readPid(body)), 'an answer of the new version');

  const rollback = await example.order('rollback');
  assert.deepEqual([rollback.ok, rollback.from, rollback.to], [true, 2, 1]);
  assert.deepEqual(await example.pidsOf('active'), before);
  await visitor.sees((body) => before.includes(readPid(body)), 'an answer of the version before');
  await visitor.leave();
}

for (const folder of ['http', 'express', 'fastify', 'in-code']) {
  test(`examples/${folder} is reloaded and rolled back under a client that never reconnects`, async (t) => {
    const example = await start(t, readStart(folder));
    await goThereAndBack(t, example);
    await example.stop();
  });
}

test('examples/express: an upload in progress is answered by the version that began it', async (t) => {
  const example = await start(t, readStart('express'));
  const [before] = await example.pidsOf('active');
  const sender = new Raw(example.target);
  t.after(() => sender.socket.destroy());
  sender.socket.write('POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nfirst');
  await until(async () => (await example.status()).active?.workers[0]?.inFlight === 1, 'the upload to be in progress');
  await example.order('reload');
  const fresh = readPid((await ask(example.target)).body);
  assert.notEqual(fresh, before);
  assert.equal((await example.status()).standby?.workers[0]?.inFlight, 1, 'the reload did not wait for the upload');

  sender.socket.write('later');
  await sender.seen(() => sender.text.endsWith(`10 bytes received by process ${before}\n`), 'the answer to the upload');
  // A request that follows at once may still find it where it was; it moves in the first moment of silence.
  await until(async () => {
    const from = sender.text.length;
    sender.socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    await sender.seen(
      () => /process \d+\n$/.test(sender.text.slice(from)),
      'an answer on the connection of the upload'
    );
    return readPid(sender.text) === fresh;
  }, 'the connection of the upload to move');
  await example.stop();
});

test('examples/fastify: broken.js is given up with its last words, and the active version serves on', async (t) => {
  const example = await start(t, readStart('fastify'));
  const visitor = new Visitor(t, example);
  const first = await visitor.get();

  const entry = 'examples/fastify/broken.js';
  const { code, stdout } = await example.attempt(process.execPath, CLI, 'reload', entry, '--json');
  const failure = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(code, 1);
  assert.deepEqual([failure.code, failure.active], ['HANDOVER_ERR_CANDIDATE_EXITED', 1]);
  assert.match(stdout, /cannot connect to the database at db\.internal/);
  assert.equal(await visitor.get(), first);

  assert.deepEqual((await example.order('reload')).ok, true);
  await visitor.sees((body) => body !== first, 'an answer of the version that works');
  await visitor.leave();
  await example.stop();
});

/** A remote with one commit, somebody who works on it, and the machine that it is deployed to. */
async function makeRepositories(t: TestContext) {
  const folder = makeFolder(t);
  const [remote, work, machine] = ['remote.git', 'work', 'machine'].map((name) => join(folder, name)) as [
    string,
    string,
    string
  ];
  const who = { NAME: 'Deploy Test', EMAIL: 'deploy@example.com' };
  const env: NodeJS.ProcessEnv = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  for (const [name, value] of Object.entries(who)) env[`GIT_AUTHOR_${name}`] = env[`GIT_COMMITTER_${name}`] = value;
  const git = (cwd: string, ...args: string[]) => run('git', args, { cwd, env });
  await git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  cpSync(join(root, 'examples/deploy-script'), work, { recursive: true });
  writeFileSync(join(work, '.gitignore'), 'node_modules/\n');
  await git(work, 'init', '--quiet', '--initial-branch=main');
  await git(work, 'remote', 'add', 'origin', remote);
  const publish = async (subject: string, edit: (code: string) => string) => {
    const server = join(work, 'server.js');
    writeFileSync(server, edit(readFileSync(server, 'utf8')));
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--message', subject);
    await git(work, 'push', '--quiet', 'origin', 'main');
  };
  await publish('The first version', (code) => code);
  await git(folder, 'clone', '--quiet', remote, machine);
  const bin = join(machine, 'node_modules/.bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(CLI, join(bin, 'handover')); // as `npm install` would
  return { machine, publish };
}

test('examples/deploy-script deploys what was pushed, takes back what does not work, and rolls back', async (t) => {
  const { machine, publish } = await makeRepositories(t);
  const example = await start(t, readStart('deploy-script'), machine);
  const visitor = new Visitor(t, example);
  const isGreeted = (word: string) => visitor.sees((body) => body.startsWith(`${word} from`), `the greeting "${word}"`);
  const deploy = () => example.attempt('sh', 'deploy.sh');
  await isGreeted('hello');

  await publish('A warmer greeting', (code) => code.replace("'hello'", "'welcome'"));
  const good = await deploy();
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /deployed [0-9a-f]+ A warmer greeting\n$/);
  await isGreeted('welcome');
  const serving = await example.pidsOf('active');

  await publish('It does not start', (code) => `throw new Error('no such database');\n${code}`);
  const late = await deploy();
  assert.equal(late.code, 1, late.stdout);
  assert.match(late.stderr, /no such database/);
  assert.match(late.stderr, /deploy failed; [0-9a-f]+ A warmer greeting still serves\n$/);
  assert.match(readFileSync(join(machine, 'server.js'), 'utf8'), /^\/\/ .*\nimport/, 'the files are those that serve');

  await publish('It does not build', (code) => `${code.replace(/^throw.*\n/, '')}\n}`);
  const early = await deploy();
  assert.equal(early.code, 1, early.stdout);
  assert.deepEqual(await example.pidsOf('active'), serving);
  await isGreeted('welcome');

  await publish('Both mended', (code) => code.replace("'welcome'", "'good day'").replace(/\}\n*$/, ''));
  const mended = await deploy();
  assert.equal(mended.code, 0, mended.stderr);
  await isGreeted('good day');

  assert.equal((await example.order('rollback')).ok, true);
  await isGreeted('welcome');
  await visitor.leave();
  await example.stop();
});

/** Runs an example that is one story, as its README says, and returns what it said. It has to leave nothing behind. */
async function hear(t: TestContext, folder: string): Promise<string> {
  const left = makeFolder(t);
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, PORT: _port, ...rest } = process.env;
  const [story = '', ...others] = readStart(folder);
  assert.deepEqual(others, ['2>/dev/null']);
  const options = { cwd: root, env: { ...rest, TMPDIR: left }, timeout: 60_000 };
  const { stdout } = await run(process.execPath, [story], options);
  assert.deepEqual(readdirSync(left), []);
  return stdout;
}

test('examples/releases: two good releases are kept, and the bad third is rolled back by itself', async (t) => {
  const said = await hear(t, 'releases');
  const [, ...steps] = said.split(/^current -> /m);
  assert.equal(steps.length, 4, said);
  const [first, second, third, after] = steps as [string, string, string, string];
  assert.equal(first, '1.0.0\n');
  assert.match(second, /^2\.0\.0\nreload: kept\. .*\nactive: 2\.0\.0 \(generation 2\)\n$/);
  assert.match(
    third,
    /^3\.0\.0\nreload: HANDOVER_ERR_CANDIDATE_REJECTED\. \d+ % of \d+ answers( to GET \/coffee)? were 5xx, .*\nactive: 2\.0\.0 \(generation 2\)\n$/
  );
  assert.match(
    after,
    /^2\.0\.0\nhistory: 1 1\.0\.0 .*\nhistory: 2 2\.0\.0 active\nhistory: 3 3\.0\.0 rejected: \d+ % of /
  );
  assert.deepEqual(after.match(/(?<=^answers: \d+ x ).*$/gm)?.sort(), [
    '200 from 1.0.0',
    '200 from 2.0.0',
    '200 from 3.0.0',
    '500 from 3.0.0'
  ]);
  assert.match(after, /^requests without an answer: 0\n$/m);
});

test('examples/canary: a bad version meets 5 % of the guests, who go back with it; the mended one gets all', async (t) => {
  const said = await hear(t, 'canary');
  assert.match(
    said,
    /^version 2: HANDOVER_ERR_CANDIDATE_REJECTED\. \d+ % of \d+ answers( to GET \/basket\/…)? were 5xx, before 0 of \d+/m
  );
  const everybody = [...said.matchAll(/^all 200 guests are answered by version (\d)$/gm)].map(([, version]) => version);
  assert.deepEqual(everybody, ['1', '1', '3'], said);
  // The hash draws these 13 of them each time; it may be found before all have asked.
  const met = Number(/^guests who met version 2: (\d+)$/m.exec(said)?.[1]);
  assert.ok(met >= 1 && met <= 13, said);
  assert.match(said, /^guests who went to it and back more than once: 0$/m);
  assert.match(said, /^version 3: kept, as generation 3$/m);
  assert.match(said, /^answers: \d+ x 500 of version 2$/m);
  assert.match(said, /^requests without an answer: 0$/m);
});

test('examples/affinity: baskets in memory outlive a deploy and a rollback, and an old page finds its script', async (t) => {
  const said = await hear(t, 'affinity');
  assert.equal(
    said,
    [
      'before the deploy: 100 of 100 baskets as they were left, with version 1',
      'after it, who came before: 100 of 100 baskets as they were left, with version 1',
      'after it, who came since: 100 of 100 baskets as they were left, with version 2',
      'app-1.js: 200, from version 1',
      'app-2.js: 200, from version 2',
      'app-0.js: 404, from version 2',
      'after a rollback: 200 of 200 baskets as they were left, with version 1 and 2',
      ''
    ].join('\n')
  );
});

test('examples/websocket: sockets are closed once with 1012, or carried with their state', async (t) => {
  const said = await hear(t, 'websocket');
  const ten = JSON.stringify(Array(10).fill(1012));
  assert.equal(
    said,
    `an app as it is: {"closed":10}\n  codes the guests saw: ${ten}\n  does version 2 know what they had said before? no\n` +
      'with carry(): {"carried":10}\n  codes the guests saw: []\n  does version 2 know what they had said before? yes\n'
  );
});

test('examples/events: a stream goes on in the next version, and the one before', async (t) => {
  const said = await hear(t, 'events');
  const reloads = ['2', '3', '4'].map((version) => `reload: {"moved":5}\nall hear version ${version}\n`).join('');
  assert.equal(
    said,
    `all hear version 1\n${reloads}all hear version 3\nevents: more than 100; {"missing":0,"twice":0,"ended":0}\n`
  );
});

test('examples/https: no stream is refused, and TLS sessions are resumed', { skip: skipWithoutOpenssl }, async (t) => {
  const said = await hear(t, 'https');
  const visits = ['2', '3', '4'].map((version) => `version ${version}: resumed\n`).join('');
  assert.equal(said, `first visit: a full handshake\n${visits}streams: more than 100 answered, 0 failed or refused\n`);
});

test('examples/haproxy: a machine is drained, all are deployed in place, one is stopped, and no request fails', {
  skip: withoutHaproxy
}, async (t) => {
  assert.equal(
    await hear(t, 'haproxy'),
    `answers come from: one 1, three 1, two 1
machine two is drained: one 1, three 1
and back: one 1, three 1, two 1
deployed one after the other: one 2, three 2, two 2
machine three is stopped: one 2, two 2
requests: more than 1000: true; failed: 0
`
  );
});

const withoutNginx = existsSync('/usr/sbin/nginx')
  ? false
  : 'nginx is not installed (Debian: apt-get install nginx-light)';

test('examples/nginx: a deploy costs nothing, a stop no GET, a killed worker only POSTs that were in flight', {
  skip: withoutNginx
}, async (t) => {
  assert.equal(
    await hear(t, 'nginx'),
    `answers come from: one 1, three 1, two 1
deployed one after the other: one 2, three 2, two 2
failed in the deploys: {"GET":0,"POST":0}
machine three is stopped: one 2, two 2
and back: one 2, three 2, two 2
GETs that failed in the stop: 0
a worker was killed; GETs that failed: 0; POSTs, at most those in flight: true
requests: more than 1000: true
`
  );
});

// The first Node that has node:sqlite without a flag is 22.13.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const hasDatabase = major > 22 || (major === 22 && minor >= 13);

test('examples/exclusive-migration: a column is renamed between the last row of one release and the first of the next', {
  skip: !hasDatabase && 'this Node has no node:sqlite'
}, async (t) => {
  const said = await hear(t, 'exclusive-migration');
  assert.deepEqual(said.match(/(?<=^the columns of the table: ).*$/gm), [
    'id, name, release',
    'id, full_name, release'
  ]);
  assert.match(said, /^2\.0\.0 serves, after [\d.]+ ms in which nobody did/m);
  const written = [...said.matchAll(/^signatures (\d+) to (\d+) were written by (.*)$/gm)];
  const [old, next] = written.map(([, first, last, release]) => ({
    first: Number(first),
    last: Number(last),
    release
  }));
  assert.deepEqual([written.length, old?.release, old?.first, next?.release], [2, '1.0.0', 1, '2.0.0'], said);
  assert.equal(next?.first, (old?.last ?? 0) + 1, 'the old version has written nothing after the first row of the new');
  assert.match(said, new RegExp(`^signatures that were answered: ${next?.last}; requests that failed: 0$`, 'm'));
});

test('examples/exclusive-migration says what it needs where there is no node:sqlite', {
  skip: hasDatabase && 'this Node has it'
}, async (t) => {
  assert.match(await hear(t, 'exclusive-migration'), /^This example needs node:sqlite, of Node 22\.13 or later; .*\n$/);
});
