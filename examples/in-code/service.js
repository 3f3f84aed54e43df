// One file that is the app and its supervisor. It supervises; its workers run it again, and in them the function.
import { createServer } from 'node:http';
import { supervise } from 'handover';

function run() {
  createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end(`hello from process ${process.pid}\n`);
  }).listen(3000);
}

const service = await supervise(run, { name: 'in-code', listen: process.env.LISTEN ?? 3000, workers: 2 });

// From here on in the supervisor only.
console.log(`process ${process.pid} supervises ${service.addresses.join(', ')}`);
service.on('cutover', ({ from, to, kind }) => console.log(`${kind}: generation ${from} -> ${to}`));
