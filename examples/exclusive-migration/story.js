// A column is renamed between two releases, of which each can only use its own: they never serve at the same time.
import { mkdtempSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { supervise } from 'handover';

if (!isBuiltin('node:sqlite')) {
  console.log(`This example needs node:sqlite, of Node 22.13 or later; this is Node ${process.versions.node}.`);
  process.exit(0);
}
const { DatabaseSync } = await import('node:sqlite');

const folder = mkdtempSync(join(tmpdir(), 'handover-migration-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const DATABASE = join(folder, 'guests.db');
const book = new DatabaseSync(DATABASE);
book.exec('CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT, release TEXT)');
describeTable();

const service = await supervise({
  entry: 'server.js',
  cwd: join(import.meta.dirname, '1.0.0'),
  env: { ...process.env, DATABASE },
  name: 'guest-book',
  listen: '127.0.0.1:0',
  strategy: 'exclusive',
  // In the folder of the next release, once nothing is in flight in the one that serves. A plain `node` would be that of PATH.
  beforeCutover: `"${process.execPath}" migrate.js`,
  // A rollback migrates nothing back: 1.0.0 would meet a column that it does not know. So it is never done unasked.
  rollback: 'manual',
  bake: '3s', // so that the story is short; the default is 30 s
  socket: join(folder, 'control.sock') // with its state file beside it: nothing is left of the story
});

// Four guests, who sign again and again. Each signature has to be in the book.
let signed = 0;
let failed = 0;
let isOpen = true;
async function sign(name) {
  while (isOpen) {
    try {
      const { status } = await fetch(`http://${service.addresses[0]}/${name}`, { method: 'POST' });
      if (status === 200) signed += 1;
      else failed += 1;
    } catch {
      failed += 1;
    }
    await delay(10);
  }
}
const guests = ['Ada', 'Grace', 'Edsger', 'Barbara'].map(sign);

/** Only while nobody serves: the writer and this reader would lock each other out. */
function describeTable() {
  const columns = book.prepare("SELECT name FROM pragma_table_info('guests')").all();
  console.log(`the columns of the table: ${columns.map(({ name }) => name).join(', ')}`);
}

try {
  console.log('1.0.0 serves');
  await delay(1_000);
  const { gapMs, verdict } = await service.reload({ cwd: join(import.meta.dirname, '2.0.0'), wait: true });
  console.log(`2.0.0 serves, after ${gapMs} ms in which nobody did: who came then has waited`);
  console.log(`verdict: ${verdict.reason}`);
} finally {
  isOpen = false;
  await Promise.all(guests);
  await service.close();
}

describeTable();
const rows = book.prepare('SELECT release, min(id) AS first, max(id) AS last FROM guests GROUP BY release').all();
for (const { release, first, last } of rows) console.log(`signatures ${first} to ${last} were written by ${release}`);
console.log(`signatures that were answered: ${signed}; requests that failed: ${failed}`);
