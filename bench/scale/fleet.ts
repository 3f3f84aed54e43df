import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Etcd } from '../../src/fleet/etcd/etcd.ts';
import { keysOf } from '../../src/fleet/keys.ts';
import { Observer } from '../../src/fleet/observer.ts';
import { readGoal } from '../../src/fleet/rules/goal.ts';
import { startDeploy } from '../../src/fleet/rules/goal-changes.ts';
import { ETCD, hasEtcd, startEtcdProcess } from '../fleet/etcd-process.ts';
import type { Context } from '../rig/model.ts';
import { adoptProcess, endProcess, firstMessage, startProcess } from '../rig/processes.ts';
import { withCleanup } from '../rig/service.ts';
import type { Part, Row } from './part.ts';
import type { Sums, Wanted } from './simulated-machines.ts';

export const SIZES = [3, 30, 300, 3_000];
/** One in ten at once: as many rounds whatever the size, but for the smallest. */
export const AT_ONCE = 10;
const MACHINES = fileURLToPath(new URL('./simulated-machines.ts', import.meta.url));
export const DEPLOY_MS = { from: 4_000, to: 12_000 };
const QUICK_MS = { from: 500, to: 1_500 };
/** Where etcd keeps its data: what a disk shared with others lets it wait for is not the question. */
const MEMORY = '/dev/shm';
const IDLE_MS = 20_000;
const LOOK_MS = 1_000;
/** Longest that a deploy is waited for. */
const LATE_MS = 400_000;

/** What a fleet costs the etcd that it agrees in, and how long a deploy takes to go through all of it. */
export const fleet: Part = {
  name: 'fleet',
  about: `3 to 3,000 machines that agree in one etcd; a deploy takes each ${DEPLOY_MS.from / 1_000} to ${DEPLOY_MS.to / 1_000} s, one in ${AT_ONCE} at once`,
  async run(context) {
    if (!hasEtcd())
      return { rows: [], notes: [`Not measured: ${ETCD} is not installed (Debian: apt-get install etcd-server).`] };
    const rows: Row[] = [];
    const missing: string[] = [];
    for (const size of context.quick ? SIZES.slice(0, 3) : SIZES) {
      try {
        rows.push(await measure(context, size));
      } catch (error) {
        missing.push(`${size} machines were too many for this one: ${(error as Error).message}`);
      }
    }
    return {
      rows,
      notes: [
        'The machines are the real code of the fleet, all in one process; only their supervisors are made up. Requests are those of all machines; etcd has its data in memory.',
        `Rounds: what it would take if nobody ever waited for etcd, for each machine the mean of ${context.quick ? '1' : '8'} s.`,
        ...missing
      ]
    };
  }
};

function measure(context: Context, machines: number): Promise<Row> {
  const { from: fromMs, to: toMs } = context.quick ? QUICK_MS : DEPLOY_MS;
  return withCleanup(async (keep) => {
    const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'handover-bench-etcd-'));
    const { endpoint, child: server } = await startEtcdProcess(folder);
    adoptProcess(server.pid);
    const own = new Etcd({ endpoints: [endpoint], user: null, password: null, ca: null, cert: null, key: null });
    const child = keep(new Machines());
    keep({ end: () => own.close() });
    keep({ end: () => server.end() });
    const remove = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove); // also where it is broken off
    keep({ end: async () => remove() });
    const empty = await child.start();
    context.progress(`${machines} machines register`);
    await child.join({ endpoint, machines, fromMs, toMs });
    context.progress(`${machines} machines, nothing to do`);
    const idleMs = context.quick ? IDLE_MS / 4 : IDLE_MS;
    const atRest = await child.sums();
    await delay(idleMs);
    const idle = { ...(await child.sums()), etcdCpuMs: cpuMsOf(server.pid) };
    const atOnce = Math.max(1, Math.floor(machines / AT_ONCE));
    const { tookMs, peak } = await deploy(context, own, child, atOnce);
    const done = { ...(await child.sums()), etcdCpuMs: cpuMsOf(server.pid) };
    const seconds = tookMs / 1_000;
    const megabytes = (bytes: number) => bytes / 1_048_576;
    return {
      machines,
      'at once': atOnce,
      'deploy s': seconds,
      'rounds s': (Math.ceil(machines / atOnce) * (fromMs + toMs)) / 2_000,
      'idle: requests/s': (idle.requests - atRest.requests) / (idleMs / 1_000),
      'deploy: requests/s': (done.requests - idle.requests) / seconds,
      'most in 1 s': peak,
      'requests each': (done.requests - idle.requests) / machines,
      'watch messages each': (done.messages - idle.messages) / machines,
      'watch KB/s': (done.bytes - idle.bytes) / 1_024 / seconds,
      'CPU ms a request': (done.cpuMicros - idle.cpuMicros) / 1_000 / (done.requests - idle.requests),
      'of etcd': (done.etcdCpuMs - idle.etcdCpuMs) / (done.requests - idle.requests),
      'KB each': (done.rssBytes - empty.rssBytes) / 1_024 / machines,
      'etcd MB': megabytes(rssOf(server.pid)),
      'lost leases': done.lost
    };
  });
}

/** Gives the order, and waits for its end. @returns the most requests within a second too */
async function deploy(context: Context, etcd: Etcd, child: Machines, machines: number) {
  const observer = new Observer(etcd, 'shop');
  const since = performance.now();
  const order = { id: 'bench', label: '2', entry: 'releases/{label}/server.js', maxUnavailable: { machines } };
  const by = { user: 'bench', host: 'bench', command: 'handover fleet deploy 2' };
  await observer.change((before, all) =>
    startDeploy(
      { ...order, by },
      before,
      all.map(({ machine: id, zone, label }) => ({ id, zone, label }))
    )
  );
  const { goal } = keysOf('shop');
  let before = { ...(await child.sums()), at: performance.now() };
  let peak = 0;
  for (;;) {
    await delay(LOOK_MS);
    const now = { ...(await child.sums()), at: performance.now() };
    const last = before;
    peak = Math.max(peak, ((now.requests - last.requests) * 1_000) / (now.at - last.at));
    before = now;
    const found = await etcd.get(goal).catch(() => null); // a busy one is asked again
    const doc = found && readGoal(found.value);
    if (doc?.state === 'done') return { tookMs: performance.now() - since, peak };
    const [failure] = doc?.failed ?? [];
    if (failure)
      throw new Error(`after ${Math.round((now.at - since) / 1_000)} s ${failure.machine} failed: ${failure.why}`);
    if (now.at - since > LATE_MS)
      throw new Error(`the deploy did not end within ${LATE_MS / 1_000} s: ${found?.value}`);
    const deployed = await etcd.count('/handover/shop/outcomes/bench/').catch(() => null);
    const rate = Math.round(((now.requests - last.requests) * 1_000) / (now.at - last.at));
    const after = Math.round((now.at - since) / 1_000);
    context.progress(`deploy: ${deployed ?? '?'} machines have begun, ${after} s, ${rate} requests/s`);
  }
}

/** The machines, from outside. */
class Machines {
  readonly #child = startProcess({ args: ['--import', 'tsx', MACHINES] });

  async start(): Promise<Sums> {
    await firstMessage(this.#child, 'the machines');
    return this.sums();
  }

  /** Has them all register. */
  async join(wanted: Wanted): Promise<void> {
    await this.#ask(wanted);
  }

  async sums(): Promise<Sums> {
    return (await this.#ask('sum')) as Sums;
  }

  end(): Promise<void> {
    return endProcess(this.#child);
  }

  async #ask(order: Wanted | 'sum'): Promise<unknown> {
    const answered = firstMessage(this.#child, 'the machines');
    this.#child.send(order);
    return answered;
  }
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
}

/** What it was busy for so far; the kernel counts in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
