// Two good releases behind a `current` symlink, and a bad third that is rolled back by itself. It takes some seconds.
import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HandoverError, supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-releases-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const current = join(folder, 'current');

/** Makes the link aside and renames it, as a deploy should: there is no moment without one. */
function point(release) {
  symlinkSync(join(import.meta.dirname, release), `${current}.next`);
  renameSync(`${current}.next`, current);
  console.log(`current -> ${release}`);
}

point('1.0.0');
const service = await supervise({
  entry: 'server.js',
  cwd: current, // the link, which is resolved anew at each reload
  name: 'tea-house',
  listen: '127.0.0.1:0',
  check: '/tea',
  bake: '3s', // so that the story is short; the default is 30 s
  socket: join(folder, 'control.sock') // with its state file beside it: nothing is left of the story
});

// Two guests, who go on asking for as long as the story lasts.
const answers = {};
let failed = 0;
let isOpen = true;
async function visit(path) {
  while (isOpen) {
    try {
      const response = await fetch(`http://${service.addresses[0]}${path}`);
      await response.text();
      const what = `${response.status} from ${response.headers.get('x-release')}`;
      answers[what] = (answers[what] ?? 0) + 1;
    } catch {
      failed += 1;
    }
    await delay(10);
  }
}
const guests = [visit('/tea'), visit('/coffee')];

/** Deploys what `current` points to, and waits for the verdict: `handover reload --wait`. */
async function deploy() {
  try {
    const { verdict } = await service.reload({ wait: true });
    console.log(`reload: kept. ${verdict.reason}`);
  } catch (error) {
    if (!HandoverError.is(error)) throw error;
    console.log(`reload: ${error.code}. ${error.why}`);
  }
  const { active } = await service.status();
  console.log(`active: ${active.label} (generation ${active.generation})`);
  return active.label;
}

try {
  await delay(1_000);
  point('2.0.0');
  await deploy();
  point('3.0.0');
  const serving = await deploy();
  point(serving); // the link is yours: as it was, the next reload would try the bad release again
  await delay(500);

  for (const { generation, label, outcome, reason } of (await service.history()).history)
    console.log(`history: ${generation} ${label} ${outcome}${reason ? `: ${reason}` : ''}`);
} finally {
  isOpen = false;
  await Promise.all(guests);
  await service.close();
}
for (const [what, count] of Object.entries(answers)) console.log(`answers: ${count} x ${what}`);
console.log(`requests without an answer: ${failed}`);
