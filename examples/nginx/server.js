import { createServer } from 'node:http';

const version = process.env.VERSION ?? '1';

createServer((request, response) => {
  request.resume().once('end', () => {
    response.setHeader('x-version', version);
    response.setHeader('x-machine', process.env.MACHINE ?? 'one');
    // An answer that takes a moment: some are always in flight.
    setTimeout(() => response.end(`hello from version ${version}\n`), 20);
  });
}).listen(process.env.PORT ?? 3000);
