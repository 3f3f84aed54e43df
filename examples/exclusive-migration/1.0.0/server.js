// The guest book, whose guests have a `name`.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite'; // `better-sqlite3` has the same prepare(), run() and exec(), on Node 20 too

const book = new DatabaseSync(process.env.DATABASE);

createServer((request, response) => {
  const guest = decodeURIComponent(request.url.slice(1));
  book.prepare("INSERT INTO guests (name, release) VALUES (?, '1.0.0')").run(guest);
  response.end(`welcome, ${guest}\n`);
}).listen(process.env.PORT ?? 3000);
