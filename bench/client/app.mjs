// The service the load client talks to: plain node:http, one file, no dependency.
//
//   PORT          port (or unix socket path) to listen on; 0 by default, and what it became is printed
//   LISTEN_FDS    where it is set, the socket to listen on is descriptor 3, as systemd passes it
//   KEEP_ALIVE_MS how long an idle connection is kept; by default 5,000, which is Node's own
//   VERSION       what x-version says; else VERSION_FILE, read once at start-up; else 1
//
// Every answer carries x-id (echoed), x-version and x-pid.
//
//   GET  /answer                      -> "answer to <x-id>\n"
//   GET  /slow?ms=250                 -> the same, after that long
//   POST /upload                      -> {"bytes":<count>,"crc32":<checksum>} of the body
//   GET  /download?bytes=N            -> N bytes of a fixed pattern, with Content-Length
//   GET  /stream?chunks=N&everyMs=M   -> "chunk 1 of N\n" ... "chunk N of N\n", chunked
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { crc32 } from 'node:zlib';

const { PORT = '0', LISTEN_FDS, VERSION, VERSION_FILE, KEEP_ALIVE_MS = 5_000 } = process.env;
const version = VERSION ?? (VERSION_FILE ? readFileSync(VERSION_FILE, 'utf8').trim() : '1');

const BLOCK = 65_536;
const pattern = Buffer.alloc(2 * BLOCK);
for (let at = 0, state = 1; at < pattern.length; at++) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  pattern[at] = state >>> 24;
}

/** One block of the download; neighbours differ, so a block lost or doubled shows. */
function block(index, bytes) {
  const start = (index * 4099) % BLOCK;
  return pattern.subarray(start, start + bytes);
}

function answer(request, response) {
  const body = `answer to ${request.headers['x-id'] ?? ''}\n`;
  response.setHeader('content-type', 'text/plain');
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}

function slow(request, response, query) {
  setTimeout(answer, Number(query.get('ms') ?? 250), request, response);
}

function upload(request, response) {
  let bytes = 0;
  let checksum = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
    checksum = crc32(chunk, checksum);
  });
  request.on('end', () => {
    const body = JSON.stringify({ bytes, crc32: checksum });
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-length', body.length);
    response.end(body);
  });
}

function download(_request, response, query) {
  const total = Number(query.get('bytes') ?? 8_000_000);
  let sent = 0;
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', total);
  const pump = () => {
    while (sent < total) {
      const bytes = Math.min(BLOCK, total - sent);
      const more = response.write(block(sent / BLOCK, bytes));
      sent += bytes;
      if (!more) return;
    }
    response.off('drain', pump);
    response.end();
  };
  response.on('drain', pump);
  pump();
}

function stream(_request, response, query) {
  const chunks = Number(query.get('chunks') ?? 10);
  let sent = 0;
  response.setHeader('content-type', 'text/plain');
  const timer = setInterval(
    () => {
      sent++;
      if (sent <= chunks) response.write(`chunk ${sent} of ${chunks}\n`);
      if (sent >= chunks) response.end();
    },
    Number(query.get('everyMs') ?? 20)
  );
  response.on('close', () => clearInterval(timer));
}

const routes = {
  'GET /answer': answer,
  'GET /slow': slow,
  'POST /upload': upload,
  'GET /download': download,
  'GET /stream': stream
};

export const server = createServer({ keepAliveTimeout: Number(KEEP_ALIVE_MS) }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://app');
  response.setHeader('x-id', request.headers['x-id'] ?? '');
  response.setHeader('x-version', version);
  response.setHeader('x-pid', process.pid);
  const route = routes[`${request.method} ${pathname}`];
  if (route) route(request, response, searchParams);
  else response.writeHead(404).end();
});

server.listen(LISTEN_FDS ? { fd: 3 } : PORT, () => {
  const address = server.address();
  console.log(address?.port ?? address);
});
