// Clients of HTTP/2 and of HTTPS, while their service is deployed three times.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { supervise } from 'handover';

const folder = mkdtempSync(join(tmpdir(), 'handover-https-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const [KEY, CERTIFICATE] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
execFileSync('openssl', [...make, '-keyout', KEY, '-out', CERTIFICATE], { stdio: 'ignore' });

const service = await supervise({
  entry: join(import.meta.dirname, 'server.js'),
  name: 'secure',
  listen: '127.0.0.1:0',
  env: { ...process.env, KEY, CERTIFICATE },
  bake: 0,
  socket: join(folder, 'control.sock')
});
const [host, port] = service.addresses[0].split(':');

// Five clients of HTTP/2 with four streams at a time each. They open a new session when theirs is to end.
const streams = { failed: 0, answers: 0, version: '' };
let isOver = false;
async function talk() {
  let session;
  while (!isOver) {
    if (!session || session.closed) session = http2.connect(`https://${host}:${port}`, { rejectUnauthorized: false });
    await Promise.all([1, 2, 3, 4].map(() => ask(session)));
    await delay(5);
  }
  session.close();
}
function ask(session) {
  return new Promise((done) => {
    const stream = session.request({ ':path': '/' });
    let text = '';
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    stream.on('error', () => {
      streams.failed += 1;
    });
    stream.on('close', () => {
      if (text !== '') streams.answers += 1;
      streams.version = text;
      done();
    });
  });
}
const talkers = Array.from({ length: 5 }, talk);

/** A client of HTTPS that comes back with the ticket of its last session. */
let ticket;
function visit() {
  return new Promise((done, fail) => {
    const socket = tls.connect({ host, port: Number(port), rejectUnauthorized: false, session: ticket });
    let isResumed = false;
    socket.on('session', (session) => {
      ticket = session;
    });
    socket.on('secureConnect', () => {
      isResumed = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    socket
      .resume()
      .on('error', fail)
      .on('close', () => done(isResumed));
  });
}

console.log(`first visit: ${(await visit()) ? 'resumed' : 'a full handshake'}`);
for (const version of ['2', '3', '4']) {
  await service.reload({ env: { VERSION: version } });
  while (streams.version !== `version ${version}`) await delay(20);
  console.log(`version ${version}: ${(await visit()) ? 'resumed' : 'a full handshake'}`);
}
isOver = true;
await Promise.all(talkers);
console.log(
  `streams: ${streams.answers > 100 ? 'more than 100' : streams.answers} answered, ${streams.failed} failed or refused`
);
await service.close();
