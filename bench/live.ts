import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Clients, openClients, type Protocol } from './live/clients.ts';
import type { LoadResult } from './load/patterns.ts';
import type { Claim, Context, Detail } from './rig/model.ts';
import { BenchService, startPlain, withCleanup } from './rig/service.ts';
import { besidePlain, cpuPerRequest, pairs, rate, run, type Side } from './rig/sides.ts';
import { atLeast, median, quantile, ratio, spread } from './rig/statistics.ts';
import { memoryOf } from './rig/usage.ts';

const APP = fileURLToPath(new URL('./live/app.mjs', import.meta.url));
const LIMIT = 0.97;
const CONNECTIONS = 32;
const SLICE_MS = 400;
/** How many WebSockets are carried, and how many are opened to see what each takes. */
const CARRIED = 500;
const OPENED = 1_000;

/** Throughput of each protocol that is followed, beside the same app under plain node: one worker each. */
export const websocket = claimFor('websocket', 'messages of WebSockets');
export const sse = claimFor('sse', 'server-sent events');
export const http2 = claimFor('http2', 'requests over HTTP/2');
export const tls = claimFor('tls', 'requests over HTTPS');

function claimFor(protocol: Protocol, what: string): Claim {
  return {
    name: protocol,
    claim: `${what} in a second, under handover / under plain node, one worker each`,
    limit: `>= ${LIMIT}`,
    run: (context) =>
      withCleanup(async (keep) => {
        const files = keep(makeCertificate());
        const env = { SPEAKS: protocol, ...files.env };
        const open = openClients(protocol);
        const plain = keep(await startPlain(context, { pinned: true }, { app: APP, env }));
        const service = keep(await start(context, env));
        const sides = besidePlain(plain, service, await service.workerPid());
        const clients = new Map<string, Clients>();
        for (const { name, port } of sides) clients.set(name, keep(await open(port, CONNECTIONS)));
        await run(context, sides, context.quick ? 8 : 40, what, ({ name }) => flood(clients.get(name)));
        const value = median(pairs(sides));
        const extra = protocol === 'websocket' ? await moreOfSockets(context, sides, files.env) : [];
        return {
          value,
          unit: 'x',
          ok: atLeast(value, LIMIT),
          details: [
            { name: 'middle half of the pairs', value: spread(pairs(sides), 3) },
            { name: 'plain', value: rate(sides[0]), unit: '/s' },
            { name: 'handover', value: rate(sides[1]), unit: '/s' },
            {
              name: 'CPU for each, plain / handover',
              value: ratio(cpuPerRequest(sides[0]), cpuPerRequest(sides[1])),
              unit: 'x'
            },
            ...extra
          ]
        };
      })
  };
}

function start(context: Context, env: NodeJS.ProcessEnv): Promise<BenchService> {
  const options = { entry: APP, env: { ...process.env, ...env }, bake: 0, upgradeSpread: '3s' };
  return BenchService.start(context, { pinned: true }, options);
}

async function flood(clients: Clients | undefined): Promise<LoadResult> {
  if (!clients) throw new Error('nobody is there to ask');
  const [before, since] = [clients.count(), performance.now()];
  clients.ask(true);
  await delay(SLICE_MS);
  const result = { answered: clients.count() - before, tookMs: performance.now() - since };
  clients.ask(false);
  await delay(20); // what is on its way
  return { ...result, lost: 0, reconnects: 0 };
}

/** What an open WebSocket takes, and how fast they are carried. */
async function moreOfSockets(context: Context, [plain, ours]: readonly [Side, Side], env: NodeJS.ProcessEnv) {
  const details: Detail[] = [];
  const grown: number[] = [];
  for (const { name, port, pid } of [plain, ours]) {
    context.progress(`${OPENED} WebSockets, ${name}`);
    const before = memoryOf(pid)?.rssBytes ?? Number.NaN;
    const clients = await openClients('websocket')(port, OPENED);
    clients.ask(true);
    await delay(1_000);
    clients.ask(false);
    await delay(200);
    grown.push((memoryOf(pid)?.rssBytes ?? Number.NaN) - before);
    await clients.end();
  }
  const [bare = Number.NaN, held = Number.NaN] = grown.map((bytes) => Math.round(bytes / 1e5) / 10);
  details.push({ name: `${OPENED} open WebSockets`, value: `${bare} MB plain, ${held} MB handover` });
  const worker = pathToFileURL(join(context.build, 'worker.js')).href;
  const service = await start(context, { ...env, SPEAKS: 'websocket', PACKAGE: worker });
  try {
    const clients = await openClients('websocket')(service.port, CARRIED);
    context.progress(`${CARRIED} WebSockets are carried`);
    clients.ask(true);
    await delay(1_000);
    const steady = quantile(clients.took(), 0.99);
    const since = performance.now();
    const { connections, cutoverMs, bootMs, rampMs } = await service.control.reload();
    const tookMs = performance.now() - since - bootMs - cutoverMs;
    const moving = clients.took();
    clients.ask(false);
    const carried = connections.websocket?.carried ?? 0;
    details.push(
      { name: `carried of ${CARRIED}, all of them busy`, value: carried },
      { name: 'carried', value: carried / (Math.max(rampMs, tookMs) / 1_000), unit: '/s' },
      { name: 'closed meanwhile', value: clients.closed() },
      { name: 'p99 of a message, steady', value: steady, unit: 'ms' },
      { name: 'p99 of a message, around the move', value: quantile(moving, 0.99), unit: 'ms' }
    );
    await clients.end();
  } finally {
    await service.end();
  }
  return details;
}

function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'handover-bench-'));
  const env = { KEY_FILE: join(folder, 'key.pem'), CERT_FILE: join(folder, 'certificate.pem') };
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const make = ['req', '-x509', ...kind, '-days', '1', '-subj', '/CN=localhost'];
  execFileSync('openssl', [...make, '-keyout', env.KEY_FILE, '-out', env.CERT_FILE], { stdio: 'ignore' });
  return { env, end: async () => rmSync(folder, { recursive: true, force: true }) };
}
