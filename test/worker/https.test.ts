import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { makeCertificate, skipWithoutOpenssl as skip } from '../support/certificate.ts';
import { type Supervised, startService } from '../support/service.ts';
import { inTime, until } from '../support/wait.ts';

// TLS stays in the process that began it: what is promised for it is that no request fails.

const BUDGET_MS = 200;

test('HTTPS is served over a reload and a rollback with no failed request', { skip }, async (t) => {
  const { service, visit, release } = await startSecure(t, 2);
  const visitors = Array.from({ length: 6 }, visit);
  for (const visitor of visitors) assert.equal(await visitor.get(), '1');

  release('2');
  await service.reload();
  assert.equal(await visit().get(), '2', 'a fresh connection goes to the new version at once');
  await allSee(visitors, '2');
  await service.rollback();
  await allSee(visitors, '1');
  for (const { closed, opened } of visitors) {
    assert.equal(opened(), closed() + 1, 'a client opens a new connection only after it was told to close the last');
  }
});

test('a request in progress over HTTPS ends where it began, and the next ones do not', { skip }, async (t) => {
  const { service, visit, release } = await startSecure(t, 1);
  const visitor = visit();
  const upload = visitor.begin('POST', { 'content-length': 10 });
  upload.request.write('first');
  await until(async () => (await service.status()).active?.workers[0]?.inFlight === 1, 'the upload to be in progress');
  release('2');
  await service.reload();
  assert.equal((await service.status()).standby?.workers[0]?.inFlight, 1, 'the reload did not wait for the upload');
  upload.request.end('later');
  assert.equal(await upload.version, '1');
  await allSee([visitor], '2');
  assert.equal(visitor.opened(), visitor.closed() + 1);
});

test('an idle HTTPS connection is ended when its generation is retired, and not before', { skip }, async (t) => {
  const { service, visit, event } = await startSecure(t, 1);
  const visitor = visit();
  await visitor.get();
  const ended = once(visitor.socket(), 'close');
  await service.reload();
  assert.equal(visitor.socket().destroyed, false);
  await service.reload();
  await event('retired', ({ generation }) => generation === 1);
  await inTime(ended, 'the end of the idle connection');
});

/** A kept-alive HTTPS client with one connection at a time. */
class SecureVisitor {
  readonly #agent: https.Agent;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #closed = 0;

  constructor(port: number, ca: Buffer) {
    this.#port = port;
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
  }

  /** Asks, and says which version answered. */
  get(): Promise<string> {
    const { request, version } = this.begin('GET');
    request.end();
    return version;
  }

  /** Begins a request whose body is the caller's to send. */
  begin(
    method: string,
    headers: http.OutgoingHttpHeaders = {}
  ): { request: http.ClientRequest; version: Promise<string> } {
    const where = { host: '127.0.0.1', servername: 'localhost', port: this.#port, agent: this.#agent };
    const request = https.request({ ...where, method, headers });
    request.on('socket', (socket) => this.#sockets.add(socket));
    const answer = new Promise<string>((done, fail) => {
      request.on('error', fail).on('response', (response) => {
        if (response.headers.connection === 'close') this.#closed += 1;
        response.on('error', fail).resume();
        response.on('end', () => done(String(response.headers['x-version'])));
      });
    });
    return { request, version: inTime(answer, `an answer to ${method} over HTTPS`) };
  }

  readonly opened = () => this.#sockets.size;
  readonly closed = () => this.#closed;
  readonly socket = () => [...this.#sockets].at(-1) ?? assert.fail('nothing was asked yet');
  readonly leave = () => this.#agent.destroy();
}

/** Every client goes on asking until this version has answered it; each of its requests has to be answered. */
async function allSee(visitors: readonly SecureVisitor[], version: string): Promise<void> {
  const see = (visitor: SecureVisitor) =>
    until(async () => (await visitor.get()) === version, `an answer of version ${version}`);
  await Promise.all(visitors.map(see));
}

async function startSecure(t: TestContext, workers: number): Promise<Supervised & { visit: () => SecureVisitor }> {
  const env = makeCertificate(t);
  const started = await startService(t, 'https.mjs', { workers, env, handoverBudget: BUDGET_MS, drainTimeout: '1s' });
  const { port } = started.target() as { port: number };
  const visit = () => {
    const visitor = new SecureVisitor(port, readFileSync(env.CERT_FILE));
    t.after(visitor.leave);
    return visitor;
  };
  return { ...started, visit };
}
