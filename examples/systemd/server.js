// A plain HTTP server. Nothing in it knows about handover, or about systemd.
import { createServer } from 'node:http';

const greeting = 'hello';

createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(`${greeting} from process ${process.pid}\n`);
}).listen(process.env.PORT ?? 3000);
