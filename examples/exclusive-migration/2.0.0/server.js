// The guest book, whose guests have a `full_name`.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const book = new DatabaseSync(process.env.DATABASE);

createServer((request, response) => {
  const guest = decodeURIComponent(request.url.slice(1));
  // Prepared here and not at the start: a candidate starts, and is checked, before the column has its new name.
  book.prepare("INSERT INTO guests (full_name, release) VALUES (?, '2.0.0')").run(guest);
  response.end(`welcome, ${guest}\n`);
}).listen(process.env.PORT ?? 3000);
