import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { makeCertificate, skipWithoutOpenssl as skip } from '../support/certificate.ts';
import { ask } from '../support/http.ts';
import { freePort } from '../support/service.ts';
import { inTime, until } from '../support/wait.ts';
import { Home, type Running } from './run.ts';

// A stop that waited for any of these would take the drain timeout of a minute, longer than a test waits.

async function start(t: TestContext, app: string): Promise<{ home: Home; running: Running; port: number }> {
  const home = new Home(t);
  home.write('server.js', app);
  const port = await freePort();
  const flags = ['run', '--listen', `127.0.0.1:${port}`, '--drain-timeout', '60s', 'server.js'];
  const running = home.start(flags);
  await running.says(/"event":"started"/);
  return { home, running, port };
}

/** Stops the service as a container does. */
async function stop(running: Running): Promise<string> {
  running.process.kill('SIGTERM');
  const { code, stderr } = await running.ended();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /drain-overdue/);
  return stderr;
}

const UPGRADES = `
const sockets = new Set();
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/slow') setTimeout(() => response.end('answered'), 1500);
  else response.end('app');
});
server.on('upgrade', (request, socket) => {
  socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n');
  sockets.add(socket);
});
server.listen(process.env.PORT);
`;
const GOODBYE = `process.on('SIGTERM', () => {
  for (const socket of sockets) socket.write('goodbye');
  server.close(() => process.exit(0));
});`;

/** A client whose connection was upgraded, and what it hears. */
async function upgrade(port: number) {
  const socket = net.connect(port, '127.0.0.1');
  let heard = '';
  socket.on('data', (data) => {
    heard += data;
  });
  const closed = once(socket, 'close');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await until(() => heard.includes('101'), 'the upgrade');
  return { heard: () => heard, closed: () => inTime(closed, 'the end of the upgraded connection') };
}

test('an upgraded connection does not hold a stop: the app hears SIGTERM, says goodbye, and the connection is ended', async (t) => {
  const { running, port } = await start(t, UPGRADES + GOODBYE);
  const client = await upgrade(port);
  await stop(running);
  const [hadError] = await client.closed();
  assert.equal(hadError, false, 'ended, not reset');
  assert.match(client.heard(), /goodbye$/);
});

test('an upgraded connection of an app without a SIGTERM handler is ended, not reset', async (t) => {
  const { running, port } = await start(t, UPGRADES);
  const client = await upgrade(port);
  await stop(running);
  assert.deepEqual(await client.closed(), [false]);
});

test('an ordinary request in flight is still waited for, beside an upgraded connection', async (t) => {
  const { running, port } = await start(t, UPGRADES + GOODBYE);
  const client = await upgrade(port);
  const slow = ask({ host: '127.0.0.1', port }, '/slow');
  await new Promise((wake) => setTimeout(wake, 300));
  await stop(running);
  assert.equal((await slow).body, 'answered');
  await client.closed();
});

test('an upgraded connection that an old version keeps does not hold a stop, either', async (t) => {
  const { home, running, port } = await start(t, UPGRADES + GOODBYE);
  const client = await upgrade(port);
  for (let reloads = 0; reloads < 2; reloads += 1) assert.equal((await home.json('reload')).code, 0);
  await stop(running);
  await client.closed();
});

for (const [name, handler] of Object.entries({
  without: '',
  with: `process.on('SIGTERM', () => process.exitCode = 0);`
})) {
  test(`an event stream is ended as a whole answer, ${name} a SIGTERM handler in the app`, async (t) => {
    const app = `require('node:http').createServer((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\\n\\n');
    }).listen(process.env.PORT);\n${handler}`;
    const { running, port } = await start(t, app);
    const [response] = (await once(http.get({ host: '127.0.0.1', port }), 'response')) as [http.IncomingMessage];
    let heard = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    await until(() => heard.length > 0, 'the first event');
    const ended = once(response, 'close');
    await stop(running);
    await inTime(ended, 'the end of the stream');
    assert.deepEqual([response.complete, heard], [true, 'data: 1\n\n']);
  });
}

test('an idle HTTP/2 session is told to go away and does not hold a stop; a stream in progress is answered', async (t) => {
  const { running, port } = await start(
    t,
    `require('node:http2').createServer((request, response) => {
      setTimeout(() => response.end('answered'), request.url === '/slow' ? 1500 : 0);
    }).listen(process.env.PORT);`
  );
  const sessions = [http2.connect(`http://127.0.0.1:${port}`), http2.connect(`http://127.0.0.1:${port}`)];
  const away = sessions.map((session) => once(session, 'goaway'));
  const get = async (session: http2.ClientHttp2Session | undefined, path: string) => {
    let body = '';
    const stream = session?.request({ ':path': path });
    stream?.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    if (stream) await once(stream, 'end');
    return body;
  };
  for (const session of sessions) assert.equal(await get(session, '/'), 'answered');
  const slow = get(sessions[0], '/slow');
  await new Promise((wake) => setTimeout(wake, 300));
  await stop(running);
  assert.equal(await slow, 'answered');
  for (const [code] of await Promise.all(away)) assert.equal(code, http2.constants.NGHTTP2_NO_ERROR);
  for (const session of sessions) session.destroy();
});

test('an answer to a POST that is written as an event stream is waited for, to its end', async (t) => {
  const { running, port } = await start(
    t,
    `require('node:http').createServer((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\\n\\n');
      setTimeout(() => response.end('data: 2\\n\\n'), 2500);
    }).listen(process.env.PORT);`
  );
  const request = http.request({ host: '127.0.0.1', port, method: 'POST' }).end('call');
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let heard = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  const ended = once(response, 'end');
  await stop(running);
  await inTime(ended, 'the end of the answer');
  assert.equal(heard, 'data: 1\n\ndata: 2\n\n');
});

/** A client that has something to say all the time, as the app has. */
async function chat(port: number, secure = false) {
  const socket = secure ? tls.connect({ port, rejectUnauthorized: false }) : net.connect(port, '127.0.0.1');
  let bytes = 0;
  socket
    .on('error', () => {})
    .on('data', (data) => {
      bytes += data.length;
    });
  // What it says into an end that is on its way is answered by a reset.
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await until(() => bytes > 1_000, 'talk of the app');
  const talk = setInterval(() => socket.writable && socket.write('hello'), 5);
  socket.on('close', () => clearInterval(talk));
  return { closed: () => inTime(closed, 'the end of the chatty connection') };
}

const CHATTY = `${UPGRADES}
server.on('upgrade', (request, socket) => {
  const talk = setInterval(() => socket.writable && socket.write('x'.repeat(100)), 5);
  socket.on('data', () => {}).on('close', () => clearInterval(talk));
});
process.on('SIGTERM', () => {
  console.error('the app heard SIGTERM');
  server.close(() => process.exit(0));
});`;

for (const strategy of ['blue-green', 'rolling', 'in-place', 'exclusive']) {
  test(`neither an idle upgraded connection nor one that talks all the time holds a stop after a reload: ${strategy}`, async (t) => {
    const home = new Home(t);
    home.write('server.js', CHATTY);
    const port = await freePort();
    const flags = ['--drain-timeout', '60s', '--strategy', strategy, '--bake', '0', 'server.js'];
    const running = home.start(['run', '--listen', `127.0.0.1:${port}`, ...flags]);
    await running.says(/"event":"started"/);
    // Those of the old version, where its successor does not wait for them, and those of the new one.
    const early = ['in-place', 'exclusive'].includes(strategy) ? [] : [await upgrade(port), await chat(port)];
    assert.equal((await home.json('reload')).code, 0);
    const late = [await upgrade(port), await chat(port)];
    const said = await stop(running);
    await Promise.all([...early, ...late].map((client) => client.closed()));
    assert.match(said, /the app heard SIGTERM/);
    assert.doesNotMatch(said, /"event":"killed"/);
  });
}

test('a WebSocket over TLS that talks all the time does not hold a stop', { skip }, async (t) => {
  const { KEY_FILE, CERT_FILE } = makeCertificate(t);
  const [key, cert] = [KEY_FILE, CERT_FILE].map((file) => `fs.readFileSync(${JSON.stringify(file)})`);
  const server = `require('node:https').createServer({ key: ${key}, cert: ${cert} }, `;
  const app = `const fs = require('node:fs');${CHATTY.replace("require('node:http').createServer(", server)}`;
  const { running, port } = await start(t, app);
  const client = await chat(port, true);
  const said = await stop(running);
  await client.closed();
  assert.match(said, /the app heard SIGTERM/);
});

test('clients whom the kernel has let in when the stop comes, and the app not yet, are answered, none is reset', async (t) => {
  const { home, running, port } = await start(
    t,
    `const { existsSync } = require('node:fs');
    require('node:http').createServer((request, response) => {
      const since = Date.now();
      while (request.url === '/busy' && !existsSync('go') && Date.now() - since < 20_000);
      response.end('answered');
    }).listen(process.env.PORT);`
  );
  const get = async (path: string) => (await ask({ host: '127.0.0.1', port }, path)).body;
  assert.equal(await get('/'), 'answered');
  const busy = get('/busy');
  await until(async () => {
    const [worker] = (await home.status()).active?.workers ?? [];
    return worker?.silentMs !== null;
  }, 'a worker whose event loop is busy');
  const stopped = stop(running);
  await running.says(/"event":"stopping"/);
  const sockets = Array.from({ length: 40 }, () => net.connect(port, '127.0.0.1'));
  const waiting = sockets.map(async (socket) => {
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'close');
    return heard;
  });
  await inTime(Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect'))), 'connections');
  home.write('go', '');
  for (const answer of await Promise.all(waiting)) assert.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*answered$/);
  assert.equal(await busy, 'answered');
  await stopped;
});
