import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Home } from './run.ts';

const DEEP = 'const deep = (n) => { if (n > 0) return deep(n - 1); FAIL; };\ndeep(12);\n';
const deep = (fail: string) => DEEP.replace('FAIL', fail);
const NET = "const net = require('node:net');";

interface Reason {
  readonly file?: string;
  readonly app: string;
  /** What the first line of the answer says of it. */
  readonly says: RegExp;
  readonly fix?: RegExp;
  readonly never?: RegExp;
}

// Versions that end before they listen: the error's own line is what counts.
const ENDS: Readonly<Record<string, Reason>> = {
  'a stack that is long': {
    app: deep("throw new Error('no licence')"),
    says: /before it listened: Error: no licence \(/
  },
  'a cause with a stack of its own': {
    app: deep("throw new Error('not set', { cause: new Error('no .env file') })"),
    says: /: Error: not set, caused by Error: no \.env file \(\S+server\.js:1:\d+\)/
  },
  'a code of the system': {
    app: `${NET} net.connect({ port: 1, host: '127.0.0.1' });`,
    says: /: Error: connect ECONNREFUSED 127\.0\.0\.1:1;/,
    fix: /Start what should answer on 127\.0\.0\.1:1/
  },
  'several errors in one': {
    app: "Promise.any([Promise.reject(new Error('one')), Promise.reject(new TypeError('two'))]);",
    says: /AggregateError: All promises were rejected, caused by Error: one; TypeError: two/
  },
  'a class of its own': {
    app: deep("throw new (class LicenceError extends Error {})('over')"),
    says: /: LicenceError: over /
  },
  'a message that begins with an empty line': {
    app: deep("throw new Error('\\nInvalid call:\\n\\nno database\\nmore')"),
    says: /: Error: Invalid call: no database \(/
  },
  'a syntax error': { app: 'const a = ;', says: /: SyntaxError: Unexpected token ';' \(\S+server\.js:1\)/ },
  'a syntax error of a module': {
    file: 'server.mjs',
    app: '\nconst a = ;',
    says: /: SyntaxError: Unexpected token ';' \(\S+server\.mjs:2\)/
  },
  'a rejection that is no error': { app: "Promise.reject('odd');", says: /a promise was rejected with "odd"/ },
  'something thrown that is no error': { app: 'throw { status: 500 };', says: /: \{ status: 500 \} was thrown/ },
  'an error that it prints itself': {
    app: deep("{ console.error('cannot start', new Error('no licence')); process.exit(1); }"),
    says: /: cannot start Error: no licence;/
  },
  'an error that it logs as JSON on stdout': {
    app: "console.log(JSON.stringify({ level: 60, err: { type: 'Error', message: 'no licence' }, msg: 'fatal' })); process.exitCode = 1;",
    says: /: fatal: Error: no licence; it wrote nothing to stderr; the last lines of its stdout:$/
  },
  'an error that its own handler hides': {
    app: "process.on('uncaughtException', () => process.exit(1)); throw new Error('hidden');",
    says: /: Error: hidden \(/
  },
  'no more than words': {
    app: "console.error('no database'); process.exitCode = 3;",
    says: /exited with code 3 before it listened: no database$/
  },
  'a secret': {
    app: "throw new Error('cannot reach postgres://shop:hunter2@db/shop with ' + process.env.APP_TOKEN);",
    says: /: Error: cannot reach postgres:\/\/shop:\[password\]@db\/shop with \[APP_TOKEN\] \(/,
    never: /hunter2|tok-12345/
  },
  'a package that is not installed': {
    app: "require('express/lib/x');",
    says: /Cannot find module 'express\/lib\/x'/,
    fix: /Install express there: `npm ci` in \S+app;/
  },
  'a package that a module does not find': {
    file: 'server.mjs',
    app: "import '@scope/name';",
    says: /Cannot find package '@scope\/name'/,
    fix: /Install @scope\/name there: `npm ci`/
  },
  'a file that was not built': {
    app: "require('./dist/app.js');",
    says: /Cannot find module '\.\/dist\/app\.js'/,
    fix: /Look whether the release is complete and built: \.\/dist\/app\.js is not there/
  },
  'import in CommonJS': {
    file: 'server.cjs',
    app: "import fs from 'node:fs';",
    says: /Cannot use import statement outside a module/,
    fix: /"type": "module"/
  },
  'require in a module': {
    file: 'server.mjs',
    app: "require('node:fs');",
    says: /require is not defined in ES module/,
    fix: /Name the file \.cjs, or, where it imports or exports too, use `import`/
  },
  '__dirname in a module': {
    file: 'server.mjs',
    app: 'console.log(__dirname);',
    says: /__dirname is not defined in ES module/,
    fix: /Write `import\.meta\.dirname` there, or name the file \.cjs/
  },
  'an await that never settles': {
    file: 'server.mjs',
    app: 'await new Promise(() => {});',
    says: /exited with code 13 \(a top-level await never settled\) before it listened/,
    fix: /Look what that await waits for/
  },
  'an app that is only exported': {
    app: 'module.exports = () => {};',
    says: /exited with code 0 before it listened; it wrote nothing to stderr$/,
    fix: /Let the entry call listen\(\)/
  },
  'a SIGKILL of somebody else': {
    app: "process.kill(process.pid, 'SIGKILL');",
    says: /was ended by SIGKILL, which did not come from handover \(the kernel sends it when memory runs out\)/
  },
  'a server that it leaves in a child process': {
    app: "require('node:child_process').spawn(process.execPath, ['child.cjs'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).on('message', () => process.exit(0));",
    says: /exited with code 0 before it listened; it left a child process, pid \d+ \(`\S+ child\.cjs`\), which listens on 127\.0\.0\.1:\d+/,
    fix: /Run the file that listens itself: `handover run child\.cjs`/
  }
};

// Versions that run and never come to serve: what they do instead.
const SILENT: Readonly<Record<string, Reason>> = {
  'a port of its own choice': {
    app: "require('node:http').createServer().listen(0, '127.0.0.1');",
    says: /is running but listens on 127\.0\.0\.1:\d+ only, which is its own and cannot be shared/,
    fix: /Let it listen on process\.env\.PORT/,
    never: /never listened/
  },
  'a server in a worker thread': {
    app: "const { Worker } = require('node:worker_threads'); new Worker(\"require('node:http').createServer().listen(0)\", { eval: true });",
    says: /is running but only a worker thread of it listens, on port \d+/,
    fix: /Let the main thread listen/,
    never: /never listened/
  },
  'a server in a child process': {
    app: "require('node:child_process').spawn(process.execPath, ['--no-warnings', 'child.cjs'], { stdio: 'inherit' });",
    says: /is running but never listened itself: it started a child process, pid \d+ \(`\S+ --no-warnings child\.cjs`\), which listens on 127\.0\.0\.1:\d+/,
    fix: /Run the file that listens itself: `handover run --node-option=--no-warnings child\.cjs`/
  },
  'a server in the child process of a shell': {
    app: "require('node:child_process').spawn('node child.cjs; true', { shell: true, stdio: 'inherit' });",
    says: /it started child processes, pid \d+ \(`\/bin\/sh -c node child\.cjs; true`\), pid \d+ \(`node child\.cjs`\), which listens/,
    fix: /`handover run child\.cjs`/
  },
  'a child process that serves nothing': {
    app: "require('node:child_process').spawn('sleep', ['30']);",
    says: /it started a child process, pid \d+ \(`sleep 30`\)/
  },
  timers: {
    app: 'setInterval(() => {}, 1000); setInterval(() => {}, 1000);',
    says: /never listened: it waits for 2 timers/
  },
  'a connection': {
    app: `${NET} const silent = net.createServer(() => {}).unref(); silent.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => { const { port } = silent.address(); net.connect(port, '127.0.0.1', () => silent.close()); });`,
    says: /never listened: it waits for .*a connection to 127\.0\.0\.1:\d+/
  },
  'a loop': {
    app: 'for (;;);',
    says: /its event loop is blocked \(no answer within 500 ms\)/,
    fix: /synchronous work before listen\(\)/
  },
  'a call that waits for a program': {
    app: "require('node:child_process').execSync('sleep 30');",
    says: /its event loop is blocked .*: it waits, it seems, for pid \d+ \(`.*sleep 30`\)/
  },
  'a process that is stopped': {
    app: "process.kill(process.pid, 'SIGSTOP');",
    says: /is stopped, by SIGSTOP/,
    fix: /kill -CONT/
  }
};

const CHILD = "require('node:http').createServer().listen(0, '127.0.0.1', () => process.send?.('there'));";

for (const [name, reason] of Object.entries(ENDS)) {
  test(`a version that ends before it listens, with ${name}, is given up for that reason`, async (t) => {
    const home = new Home(t);
    await check(home, reason, []);
  });
}

for (const [name, reason] of Object.entries(SILENT)) {
  test(`a version that runs and does not serve, with ${name}, is given up for that reason`, async (t) => {
    const home = new Home(t);
    await check(home, reason, ['--ready-timeout', '1500']);
  });
}

async function check(
  home: Home,
  { file = 'server.js', app, says, fix = / no generation is active/, never }: Reason,
  flags: string[]
) {
  home.write(file, app);
  home.write('child.cjs', CHILD);
  const run = home.start(['run', file, '--log', 'json', ...flags], { env: { APP_TOKEN: 'tok-12345' } });
  const { code, stderr } = await run.ended();
  const failure = lastLine(stderr);

  assert.equal(code, 1);
  assert.match(String(failure.why).split('\n')[0] ?? '', says);
  assert.match(String(failure.fix), fix);
  if (never) assert.doesNotMatch(JSON.stringify(failure), never);
}

function lastLine(stderr: string): Record<string, unknown> {
  const line =
    stderr
      .trim()
      .split('\n')
      .findLast((one) => one.startsWith('{"time"')) ?? assert.fail(stderr);
  return JSON.parse(line);
}

test('the error is in the answer, in the log and in the history, on one line each', async (t) => {
  const home = new Home(t);
  const running = await home.run('server.js');
  home.write('broken.js', deep("throw new Error('no licence', { cause: new Error('no key') })"));
  const { code, stdout, stderr } = await home.handover('reload', 'broken.js');
  const said =
    /exited with code 1 before it listened: Error: no licence, caused by Error: no key \(\S+broken\.js:1:\d+\)/;

  assert.equal(code, 1);
  assert.match(stderr.split('\n')[0] ?? '', said);
  assert.match(stdout, said);
  assert.match(
    JSON.parse(
      running
        .stderr()
        .split('\n')
        .findLast((line) => line.includes('"event":"failed"')) ?? ''
    ).reason,
    said
  );
  const history = await home.handover('history');
  assert.match(history.stdout.trim().split('\n').at(-1) ?? '', said);
});

test('an error of an active worker is the reason of its exit, and one that it survived is not', async (t) => {
  const home = new Home(t);
  home.write(
    'server.js',
    "process.on('uncaughtException', () => {});\nrequire('node:http').createServer((request, response) => {\n  response.end('{}');\n  if (request.url === '/odd') setImmediate(() => { throw new Error('survived'); });\n  if (request.url === '/end') setImmediate(() => { process.removeAllListeners('uncaughtException'); throw new Error('the end'); });\n}).listen(process.env.PORT);"
  );
  const running = await home.run('server.js');
  await home.ask('/odd');
  await home.ask('/end');
  await running.says(/"event":"worker-exited".*exited with code 1: Error: the end \(/);
});
