// Brings the database to what this release needs. It changes all or nothing: if it fails, the release before serves on.
import { DatabaseSync } from 'node:sqlite';

const { DATABASE, HANDOVER_FROM, HANDOVER_TO } = process.env;
const book = new DatabaseSync(DATABASE);
const columns = book.prepare("SELECT name FROM pragma_table_info('guests')").all();

// A deploy that failed after this is tried again.
if (columns.some(({ name }) => name === 'name')) book.exec('ALTER TABLE guests RENAME COLUMN name TO full_name');
console.log(`guests.name is guests.full_name, between generations ${HANDOVER_FROM} and ${HANDOVER_TO}`);
