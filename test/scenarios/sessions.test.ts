import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { makeCertificate, skipWithoutOpenssl as skip } from '../support/certificate.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/service.ts';
import { inTime, until } from '../support/wait.ts';
import { type TestService, withService } from './service.ts';

// HTTP/2, TLS and raw TCP: connections that do not move.

const APP = fileURLToPath(new URL('../fixtures/apps/sessions.mjs', import.meta.url));

function reload(service: TestService, version: string) {
  // Other arguments: Node makes what tells sessions of servers apart from them.
  return service.client.reload({ env: { VERSION: version }, args: [`of-${version}`] });
}

async function serve(
  t: TestContext,
  speaks: 'h2c' | 'h2' | 'https' | 'tcp',
  options: SuperviseOptions,
  run: (service: TestService) => Promise<void>
): Promise<void> {
  const certificate = speaks === 'h2' || speaks === 'https' ? makeCertificate(t) : {};
  const env = { ...process.env, ...certificate, SPEAKS: speaks };
  await withService({ entry: APP, bake: 0, env, ...options }, run);
}

/** A client of HTTP/2 with several streams at a time, that opens another session when its own is to end. */
class Streams {
  readonly failures: string[] = [];
  answers = 0;
  version = '';
  sessions = 0;
  goaways = 0;
  readonly #url: string;
  readonly #pauseMs: number;
  #session: http2.ClientHttp2Session | null = null;
  #isOver = false;

  constructor(url: string, pauseMs: number) {
    this.#url = url;
    this.#pauseMs = pauseMs;
    void this.#talk();
  }

  leave(): void {
    this.#isOver = true;
    this.#session?.destroy();
  }

  async #talk(): Promise<void> {
    while (!this.#isOver) {
      const session = this.#session === null || this.#session.closed ? this.#open() : this.#session;
      await Promise.all(Array.from({ length: 3 }, () => this.#ask(session)));
      await delay(this.#pauseMs * Math.random() * 2);
    }
  }

  #open(): http2.ClientHttp2Session {
    const session = http2.connect(this.#url, { rejectUnauthorized: false });
    session.on('error', (error) => this.#isOver || this.failures.push(String(error)));
    session.on('goaway', () => {
      this.goaways += 1;
    });
    this.sessions += 1;
    this.#session = session;
    return session;
  }

  #ask(session: http2.ClientHttp2Session): Promise<void> {
    return new Promise((done) => {
      // Told to go away since it was looked at: nothing has been sent.
      if (session.closed) return done();
      const stream = session.request({ ':path': '/' });
      let text = '';
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      stream.on('error', (error) => this.#isOver || this.failures.push(String(error)));
      stream.on('close', () => {
        if (text !== '') this.answers += 1;
        else if (!this.#isOver) this.failures.push('no answer');
        this.version = text;
        done();
      });
    });
  }
}

for (const [speaks, workers, strategy] of [
  ['h2c', 1, 'blue-green'],
  ['h2c', 2, 'rolling'],
  ['h2', 2, 'blue-green'],
  ['h2', 1, 'in-place']
] as const) {
  test(`${speaks}, ${strategy}, ${workers} worker(s): no stream fails or is refused, and sessions end with their streams`, {
    skip: speaks === 'h2' && skip
  }, async (t) => {
    await serve(t, speaks, { strategy, workers, drainTimeout: '5s' }, async (service) => {
      const url = `${speaks === 'h2' ? 'https' : 'http'}://127.0.0.1:${service.port}`;
      // Busy ones, and some who think between two requests.
      const clients = [0, 0, 5, 20, 50, 300].map((pauseMs) => new Streams(url, pauseMs));
      atEnd(t, () => {
        for (const client of clients) client.leave();
      });
      await until(() => clients.every(({ answers }) => answers > 6), 'some answers');
      for (const version of ['2', '3', '4', '5', '6']) {
        const { connections } = await reload(service, version);
        if (strategy === 'blue-green') assert.equal(connections.http2?.goaway, 6, JSON.stringify(connections));
        await until(() => clients.every((client) => client.version === version), `answers of ${version}`);
      }
      await until(async () => {
        const { standby } = await service.client.status();
        return (standby?.workers ?? []).every(({ kinds }) => !kinds?.http2);
      }, 'no session to be left with the version before');
      if (strategy !== 'in-place') {
        await service.client.rollback();
        await until(() => clients.every((client) => client.version === '5'), 'answers after the rollback');
      }
      for (const client of clients) client.leave();
      assert.deepEqual(
        clients.flatMap(({ failures }) => failures),
        []
      );
      assert.ok(clients.every(({ goaways, sessions }) => goaways >= 5 && sessions >= 5));
    });
  });
}

test('an idle session is told to go away, one with a stream that never ends stays until its version is retired', async (t) => {
  await serve(t, 'h2c', { drainTimeout: '1s' }, async (service) => {
    const url = `http://127.0.0.1:${service.port}`;
    const [idle, endless] = [http2.connect(url), http2.connect(url)];
    for (const session of [idle, endless]) {
      session.on('error', () => {});
      atEnd(t, () => session.destroy());
    }
    await Promise.all([once(idle, 'remoteSettings'), once(endless, 'remoteSettings')]);
    const stream = endless.request({ ':path': '/endless' });
    stream.on('error', () => {});
    await once(stream, 'data');
    const closed = once(idle, 'close');
    await reload(service, '2');
    await inTime(closed, 'the idle session to end');
    const { standby } = await service.client.status();
    assert.deepEqual(
      standby?.workers.map(({ kinds }) => kinds),
      [{ http2: 1 }]
    );
    const ended = once(stream, 'close');
    await reload(service, '3');
    await inTime(ended, 'the endless stream to end with its version');
  });
});

/** One visit over TLS: whether it resumed a session, and the version that answered. */
class Visitor {
  readonly #port: number;
  readonly #version: tls.SecureVersion;
  #ticket: Buffer | undefined;

  constructor(port: number, version: tls.SecureVersion) {
    this.#port = port;
    this.#version = version;
  }

  async visit(): Promise<{ isResumed: boolean; version: string }> {
    const only = { minVersion: this.#version, maxVersion: this.#version };
    const ticket = this.#ticket ? { session: this.#ticket } : {};
    const socket = tls.connect({ port: this.#port, host: '127.0.0.1', rejectUnauthorized: false, ...only, ...ticket });
    let [isResumed, text] = [false, ''];
    socket.on('session', (session: Buffer) => {
      this.#ticket = session;
    });
    socket.on('secureConnect', () => {
      isResumed = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    await inTime(once(socket, 'close'), 'the end of a visit');
    return { isResumed, version: /^x-version: (.*)$/im.exec(text)?.[1] ?? '' };
  }
}

test('a client over TLS resumes its session with every worker of every version, on 1.2 and 1.3', {
  skip
}, async (t) => {
  await serve(t, 'https', { workers: 2 }, async (service) => {
    for (const tlsVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const visitor = new Visitor(service.port, tlsVersion);
      assert.equal((await visitor.visit()).isResumed, false);
      const start = tlsVersion === 'TLSv1.2' ? 2 : 5;
      for (const version of [start, start + 1, start + 2].map(String)) {
        await reload(service, version);
        for (let count = 0; count < 4; count += 1)
          assert.deepEqual(await visitor.visit(), { isResumed: true, version });
      }
      await service.client.rollback();
      assert.deepEqual(await visitor.visit(), { isResumed: true, version: String(start + 1) });
      await service.client.rollback();
    }
  });
});

test('raw TCP stays with its version; when that is retired the app is told, and the connection ends gently', async (t) => {
  const journal = join(makeFolder(t), 'journal');
  await serve(t, 'tcp', { env: { ...process.env, SPEAKS: 'tcp', JOURNAL: journal } }, async (service) => {
    const socket = net.connect(service.port, '127.0.0.1');
    atEnd(t, () => socket.destroy());
    let heard = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      heard += part;
    });
    await until(() => heard === '1\n', 'the first version');
    await reload(service, '2');
    socket.write('still here?');
    await until(() => heard === '1\nstill here?', 'an echo after the cutover');
    const ended = once(socket, 'end');
    await reload(service, '3');
    await inTime(ended, 'the end of the connection');
    assert.equal(readFileSync(journal, 'latin1'), 'drain 1\n');
    assert.ok(!service.lines.some(({ event }) => event === 'drain-overdue'));
  });
});
