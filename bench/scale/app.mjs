// The smallest service, which keeps idle connections: thousands of them take longer to ask in turn than the 5 s that
// Node keeps them by default.
import { createServer } from 'node:http';

createServer({ keepAliveTimeout: 120_000 }, (_request, response) => response.end('answer\n')).listen(process.env.PORT);
