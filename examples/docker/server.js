// Any server: it knows nothing of the container.
const { createServer } = require('node:http');

createServer((_request, response) => response.end(`hello from ${process.pid}\n`)).listen(process.env.PORT ?? 3000);
