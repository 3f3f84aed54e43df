import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { acceptPipes, type MessagePipe, type PipeEvents } from '../../src/internals/pipes.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/folder.ts';
import { until } from '../support/wait.ts';

const LAST_WORDS = fileURLToPath(new URL('../fixtures/last-words.ts', import.meta.url));

test('what was said before the other side was killed is heard to the end, descriptors and what is behind them', async (t) => {
  const path = join(makeFolder(t), 'pipe');
  const opened: ((events: PipeEvents) => MessagePipe)[] = [];
  const server = acceptPipes(path, (open) => opened.push(open));
  assert.ok(typeof server === 'object');
  atEnd(t, () => server.close());
  const speaker = spawn(process.execPath, ['--import', 'tsx', LAST_WORDS, path, '20'], { stdio: 'inherit' });
  const [, signal] = await once(speaker, 'exit');
  assert.equal(signal, 'SIGKILL');
  await until(() => opened.length === 1, 'its pipe');

  const heard: [number: unknown, hasHandle: boolean][] = [];
  let isOver = false;
  opened[0]?.({
    onMessage(message, handle) {
      heard.push([(message as { number: number }).number, handle !== undefined]);
      handle?.close();
    },
    onEnd() {
      isOver = true;
    }
  });
  await until(() => isOver, 'its end');

  assert.deepEqual(
    heard,
    Array.from({ length: 20 }, (_, number) => [number, number % 2 === 0])
  );
});
