// HTTP/2 and HTTPS on one port. It knows nothing about handover.
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';

const { VERSION = '1', PORT = '3000', KEY, CERTIFICATE } = process.env;

createSecureServer(
  { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE), allowHTTP1: true },
  (_request, response) => {
    response.end(`version ${VERSION}`);
  }
).listen(PORT);
