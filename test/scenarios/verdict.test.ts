import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { type TestService, waitFor, withService } from './service.ts';

// Versions that an operator would take back, judged by the default limits. How soon is bench/verdict.ts's business.

const SHOP = fileURLToPath(new URL('../../bench/verdict/app.mjs', import.meta.url));
const CLIENTS = 20;
const EVERY_MS = 40;
const PATHS = ['/', '/orders/4711', '/orders/4712?token=hush', '/items/9f8e7d6c5b4a/price', '/about'];

/** Twenty people who ask again and again over connections of their own. */
class People {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  readonly #timers: NodeJS.Timeout[] = [];
  answered = 0;

  constructor(port: number) {
    for (let client = 0; client < CLIENTS; client += 1) {
      let asked = client;
      const ask = () => {
        const path = PATHS[asked % PATHS.length] ?? '/';
        asked += 1;
        const request = http.get({ port, path, agent: this.#agent }, (response) => {
          response.resume();
          this.answered += 1;
        });
        request.on('error', () => {}); // a version that crashes or hangs costs requests
      };
      this.#timers.push(setInterval(ask, EVERY_MS));
    }
  }

  async ask(count: number): Promise<void> {
    const enough = this.answered + count;
    await waitFor(async () => this.answered >= enough, `${count} more requests are answered`);
  }

  leave(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#agent.destroy();
  }
}

async function visited(options: SuperviseOptions, run: (service: TestService, people: People) => Promise<void>) {
  await withService({ entry: SHOP, ...options }, async (service) => {
    const people = new People(service.port);
    try {
      await people.ask(2_500);
      await run(service, people);
    } finally {
      people.leave();
    }
  });
}

/** Deploys a version with a fault, and tells how it was judged. */
async function deploy(service: TestService, fault: string) {
  await service.client.reload({ env: { FAULT: fault }, label: fault || 'good', wait: true }).catch(() => {});
  const { history } = await service.client.history();
  const { verdict, outcome } = history.at(-1) ?? {};
  assert.ok(verdict, `"${fault}" was judged`);
  return { ...verdict, outcome };
}

const FAULTS: readonly (readonly [fault: string, reason: RegExp])[] = [
  ['fails', /^100 % of [\d,]+ answers were 5xx, before 0 of [\d,]+; (GET|POST) \S+ most of all /],
  ['fails sometimes', /^\d(\.\d)? % of [\d,]+ answers( to GET \S+)? were 5xx, before 0 of /],
  ['one route fails', /; GET \/orders\/… most of all /],
  ['has lost its routes', /^100 % of the answers on routes asked for before were 4xx, before 0/],
  ['is slow', /^p50: \d+ ms over [\d,]+ requests; before the cutover /],
  ['burns', /^p50: [\d.]+ ms over [\d,]+ requests; before the cutover /],
  ['leaks', /^memory: a worker takes \d+ MiB and grows by \d+ MiB a second; /],
  [
    'throws',
    /^(a worker died of an error that no version had died of before: TypeError: no price|worker exits: 2 in )/
  ],
  ['hangs', /^worker hangs: 1 in /]
];

describe('the default verdict', { concurrency: 2 }, () => {
  for (const part of [FAULTS.slice(0, 5), FAULTS.slice(5)]) {
    test(`takes back a version that ${part.map(([fault]) => fault).join(', or ')}`, () =>
      visited({ hangTimeout: '3s', bake: { for: '60s' } }, async (service, people) => {
        for (const [fault, reason] of part) {
          const { decision, reason: told, before, after, outcome } = await deploy(service, fault);
          const answered = decision === 'keep' ? await (await fetch(`http://127.0.0.1:${service.port}/`)).text() : '';
          assert.deepEqual([decision, outcome], ['roll back', 'rejected'], `${fault}: ${told} (${answered})`);
          assert.match(told, reason);
          assert.ok(before && before.requests > 100 && before.failed === 0 && after, fault);
          await people.ask(200);
        }
      }));
  }

  test('keeps a version that is as good as the one before, three times, with the figures of both', () =>
    visited({ bake: '6s' }, async (service) => {
      for (let turn = 1; turn <= 3; turn += 1) {
        const { decision, reason, before, after } = await deploy(service, '');
        assert.equal(decision, 'keep', reason);
        assert.ok(before && after && after.requests > 500 && after.failed === 0);
        assert.deepEqual(after.routes.map(({ route }) => route).sort(), [
          'GET /',
          'GET /about',
          'GET /items/…/price',
          'GET /orders/…'
        ]);
        assert.ok(after.p50Ms !== null && after.cpuMsPerRequest !== null && after.rssBytes !== null);
      }
    }));
});

test('a version that hardly anybody asked is kept unseen, and status and answer say so', async (t: TestContext) => {
  await withService({ entry: SHOP, bake: '2s' }, async (service) => {
    const ask = () => fetch(`http://127.0.0.1:${service.port}/`).then((response) => response.text());
    await ask();
    const reloading = service.client.reload({ wait: true });
    await service.line('baking');
    await ask();
    const { verdict } = await reloading;
    assert.equal(verdict?.decision, 'keep unseen');
    assert.match(verdict?.reason ?? '', /^kept unseen: 1 request in [\d.]+ s, too few to see anything$/);
    t.diagnostic(verdict?.reason ?? '');
  });
});

test('where some requests came, but too few to compare, the bake goes on until there are enough', async () => {
  const bake = { for: '1s', atMost: '2m', requests: 40 };
  await withService({ entry: SHOP, bake }, async (service) => {
    const ask = async (count: number) => {
      for (let left = count; left > 0; left -= 1)
        await fetch(`http://127.0.0.1:${service.port}/`).then((one) => one.text());
    };
    await ask(60);
    const counted = async () => (await service.client.history()).history[0]?.requests === 60;
    await waitFor(counted, 'the 60 requests are counted');
    const reloading = service.client.reload({ wait: true });
    await service.line('baking');
    await ask(5);
    await service.line('bake-extended');
    const { bake: shown } = await service.client.status();
    assert.equal(shown?.forMs, 120_000);
    await ask(40);
    const { verdict } = await reloading;
    assert.equal(verdict?.decision, 'keep');
  });
});
