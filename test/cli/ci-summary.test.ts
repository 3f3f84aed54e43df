import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { summarizeFailure } from '../../src/cli/ci-summary.ts';
import { HandoverError } from '../../src/errors.ts';
import { Home } from './run.ts';

test('a reload in a job of GitHub adds to its summary what became of it, done or failed', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--label', 'v1', '--bake', '0', '--ready-timeout', '20s');
  const file = join(home.folder, 'summary.md');
  const env = { GITHUB_STEP_SUMMARY: file };
  const done = await home.start(['reload', '--label', 'v2'], { env }).ended();
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^ +[\d.]+ m?s {2}starting /m, 'plain lines');
  const first = readFileSync(file, 'utf8');
  assert.match(
    first,
    /^### ✅ shop: handed over from generation 1 \(v1\) to 2 \(v2\)\n\n\| \| \|\n\| --- \| --- \|\n\| ready in \| .* m?s \|\n/
  );
  assert.match(first, /\| cutover \| /);

  home.write('server.js', 'console.error("<b>no</b> database"); process.exit(3);');
  const failed = await home.start(['reload'], { env }).ended();
  assert.equal(failed.code, 1);
  const second = readFileSync(file, 'utf8').slice(first.length);
  assert.match(second, /^### ❌ shop: /);
  assert.match(second, /\| error \| `HANDOVER_ERR_CANDIDATE_EXITED` \|/);
  assert.match(second, /generation 2 is still active/);
});

test('without a supervisor the summary says so', async (t) => {
  const home = new Home(t);
  const file = join(home.folder, 'summary.md');
  const { code } = await home.start(['reload', '--name', 'shop'], { env: { GITHUB_STEP_SUMMARY: file } }).ended();
  assert.equal(code, 4);
  assert.match(readFileSync(file, 'utf8'), /### ❌ handover: Cannot reach the supervisor/);
});

test('a summary that cannot be written changes nothing', async (t) => {
  const home = new Home(t);
  await home.run('server.js', '--bake', '0');
  const { code } = await home
    .start(['reload'], { env: { GITHUB_STEP_SUMMARY: join(home.folder, 'no/where.md') } })
    .ended();
  assert.equal(code, 0);
});

test('what an app wrote does not become markup', () => {
  const error = new HandoverError('HANDOVER_ERR_CANDIDATE_EXITED', {
    what: 'Generation 7 failed',
    why: 'it wrote <img src=x> | a:\n```\n<script>\n```',
    fix: 'Mend it'
  });
  const text = summarizeFailure({ app: 'shop' }, error, 1);
  assert.match(text, /it wrote &#60;img src=x&#62; &#124; a:/);
  assert.match(text, /\n````\n```\n<script>\n```\n````\n$/);
});
