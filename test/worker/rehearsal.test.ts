import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../src/control/client.ts';
import { atEnd } from '../support/end.ts';
import { app, makeFolder, startService } from '../support/service.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

const CONNECTIONS = 32;
/** So many requests make V8 optimise whatever serves them. */
const WARM = 60_000;
const REQUEST = 'GET / HTTP/1.1\r\nHost: app\r\n\r\n';

/** Functions of Node, and ours, that are part of every request. */
const HOT = new Set([
  ...['emit', 'emitCloseNT', 'removeListener', 'Readable.removeListener', 'hasEventListener', 'addListener', 'once'],
  ...[
    'onParserExecute',
    'onParserExecuteCommon',
    'parserOnHeadersComplete',
    'parserOnIncoming',
    'parserOnMessageComplete'
  ],
  ...[
    'resOnFinish',
    'assignSocket',
    'detachSocket',
    'writeHead',
    'writeOrBuffer',
    'onwrite',
    'afterWrite',
    '_storeHeader'
  ],
  ...['clearTimeout', 'onDestroy', 'processTicksAndRejections', 'nextTick', '_send', '_writeRaw', 'end', 'get'],
  ...['start', 'finish', 'onRequest', 'countAnswer', 'find', 'pump', '#offer']
]);

/** Keeps connections busy, one request at a time on each, until told to stop. */
class Load {
  readonly #sockets: net.Socket[] = [];
  answered = 0;

  constructor(port: number) {
    for (let count = 0; count < CONNECTIONS; count += 1) {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(REQUEST));
      socket.on('data', () => {
        this.answered += 1;
        socket.write(REQUEST);
      });
      this.#sockets.push(socket);
    }
  }

  async more(count: number): Promise<void> {
    for (const enough = this.answered + count; this.answered < enough; )
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Runs the app with its stdout in a pipe, into which V8 writes. */
async function runTraced(t: TestContext) {
  const socket = join(makeFolder(t), 'control.sock');
  const flags = ['--listen', '127.0.0.1:0', '--socket', socket, '--log', 'json', '--bake', '0'];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = spawn(process.execPath, [CLI, 'run', app('http.mjs'), ...flags], {
    env: { ...env, NODE_OPTIONS: `--require ${fixture('trace-deopt.cjs')}` },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  atEnd(t, async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const traced: string[] = [];
  createInterface(child.stdout).on('line', (line) => traced.push(line));
  const port = await new Promise<number>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      const address = /"event":"started".*"listeners":\["127\.0\.0\.1:(\d+)"/.exec(line)?.[1];
      if (address) resolve(Number(address));
    });
  });
  const control = new ControlClient(socket);
  atEnd(t, () => control.close());
  return { traced, port, control };
}

test('in its first handover, a worker under load keeps the optimised code of what serves requests', async (t) => {
  const { traced, port, control } = await runTraced(t);
  const load = new Load(port);
  atEnd(t, () => load.end());
  await load.more(WARM);
  const { active } = await control.status();
  process.kill(active?.workers[0]?.pid ?? 0, 'SIGUSR2');
  await load.more(WARM / 10); // what is discarded now has nothing to do with a handover
  traced.length = 0;
  await control.reload();
  await load.more(WARM / 10);
  const discarded = traced.flatMap((line) => /deoptimizing[^<]*<JSFunction (\S+)/.exec(line)?.[1] ?? []);
  t.diagnostic(`discarded: ${discarded.join(', ') || 'nothing'}`);
  assert.deepEqual(
    discarded.filter((name) => HOT.has(name)),
    []
  );
});

test('what a worker rehearses is not seen by agents, and not counted as requests', async (t) => {
  const { service, client } = await startService(t, 'seen.mjs', {
    env: { NODE_OPTIONS: `--require ${fixture('agent.cjs')}` }
  });
  const seen = JSON.parse((await client().get()).body);
  assert.deepEqual(
    [seen.starts, seen.finishes, seen.emits, seen.connects],
    [1, 0, 1, 0],
    'this request has begun, and nothing else has'
  );
  const { active } = await service.status();
  assert.equal(active?.workers[0]?.requests, 1);
});
