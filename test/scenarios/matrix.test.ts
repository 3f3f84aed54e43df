import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatReport, type LoadOptions, type Report } from '../../bench/client/index.ts';
import type { FailureKind } from '../../bench/client/model.ts';
import type { HistoryEntryStatus, Status } from '../../src/core/status.ts';
import { HandoverError } from '../../src/errors.ts';
import type { StrategyName } from '../../src/options/strategies.ts';
import type { SuperviseOptions } from '../../src/supervise.ts';
import { Home } from '../cli/run.ts';
import { app } from '../support/service.ts';
import { answers, assertUnnoticed, loaded } from './loaded.ts';
import { type TestService, waitFor, withService } from './service.ts';

// Every strategy x every kind of version, with one worker and with three, under the strict client: what the version
// itself answers wrongly is its own; nothing else may fail, whatever becomes of it.

/** A version, and what a handover to it comes to. */
interface Case {
  readonly version: string;
  readonly code: 'kept' | 'HANDOVER_ERR_CANDIDATE_NOT_READY' | 'HANDOVER_ERR_CANDIDATE_CHECK' | typeof REJECTED;
  readonly reason: RegExp;
  /** The ways in which requests fail that this version gets: its own doing. */
  readonly costs: readonly FailureKind[];
}

const MIB = 2 ** 20;
const REJECTED = 'HANDOVER_ERR_CANDIDATE_REJECTED';
const CUT: readonly FailureKind[] = ['reset', 'closedWithoutAnswer', 'cutShort'];

/** Decided within seconds, one after the other in one service. */
const QUICK: readonly Case[] = [
  { version: 'never-ready', code: 'HANDOVER_ERR_CANDIDATE_NOT_READY', reason: /never listened/, costs: [] },
  { version: 'unwell', code: 'HANDOVER_ERR_CANDIDATE_CHECK', reason: /gave status 503/, costs: [] },
  { version: '2', code: 'kept', reason: /no limit was reached/, costs: [] },
  { version: 'crashes', code: REJECTED, reason: /^worker exits: [2-9] in /, costs: CUT },
  { version: 'fails', code: REJECTED, reason: /(^5xx: .* % of |answers were 5xx)/, costs: ['serverError'] },
  { version: 'slow', code: REJECTED, reason: /^p50: .* ms over /, costs: [] }
];

/** Memory takes its time to be a slope. */
const LONG: readonly Case[] = [
  { version: 'leaks', code: REJECTED, reason: /^memory( growth: .* MiB a minute|: a worker takes )/, costs: [] }
];

/** Limits that decide quickly, and each only about its own illness: the machine is slow, and shared. */
const QUICK_BAKE: SuperviseOptions['bake'] = {
  for: '6s',
  exits: 2,
  p50: { floor: 250, absolute: 250, after: 500, requests: 20 },
  ...{ p99: false, cut: false, cpu: false, loopDelay: false, memory: false }
};
const LONG_BAKE: SuperviseOptions['bake'] = {
  for: '25s',
  memory: { floor: 500 * MIB, absolute: 500 * MIB, after: '1s' },
  ...{ p50: false, p99: false, cut: false, cpu: false, loopDelay: false }
};

/** Four services share the machine: each has every kind of client, and none that only heats the processor. */
const LIGHT: Partial<LoadOptions> = {
  clients: {
    ...{ idle: 10, thinking: 8, busy: 1, fresh: 2, slow: 2, streaming: 1 },
    ...{ uploading: 1, pipelining: 1, slowReader: 1, halfHead: 2 }
  },
  ...{ busyPauseMs: 50, freshPauseMs: 50, pipelinePauseMs: 100, thinkMaxMs: 400 }
};

const STRATEGIES: readonly StrategyName[] = ['blue-green', 'rolling', 'in-place', 'exclusive'];

describe('every strategy with every kind of version', { concurrency: 4 }, () => {
  for (const strategy of STRATEGIES) {
    for (const workers of [1, 3]) {
      test(`${strategy}, ${workers} worker(s): what is bad is caught or rolled back, what is well is kept`, (t) =>
        play({ strategy, workers, bake: QUICK_BAKE }, QUICK, workers === 1 ? byCommand(new Home(t)) : byClient));
      test(`${strategy}, ${workers} worker(s): a version that leaks is rolled back`, () =>
        play({ strategy, workers, bake: LONG_BAKE }, LONG, byClient));
    }
  }
});

/** What an order came to: the exit code of the command, and what it says. */
interface Told {
  readonly code: number | null;
  readonly answer: { readonly [name: string]: unknown };
}
type Order = { readonly label: string; readonly env: Readonly<Record<string, string>> };
type Reload = (service: TestService, order: Order) => Promise<Told>;

/** `handover reload --wait`, as an operator says it. */
function byCommand(home: Home): Reload {
  return ({ socket }, { label, env }) => {
    const flags = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    return home.json('reload', '--socket', socket, '--wait', '--label', label, ...flags);
  };
}

/** The same without a process of its own. */
const byClient: Reload = async ({ client }, order) => {
  try {
    return { code: 0, answer: { ...(await client.reload({ ...order, wait: true })) } };
  } catch (error) {
    if (!HandoverError.is(error)) throw error;
    const { code, why } = error;
    return { code: error.exitCode, answer: { code, why } };
  }
};

async function play(options: SuperviseOptions, cases: readonly Case[], reload: Reload): Promise<void> {
  const check = { path: '/answer?private', interval: 50 };
  const given = { name: 'matrix', entry: app('ill.mjs'), check, readyTimeout: '5s', standbyMemory: 0, ...options };
  await withService(given, async (service) => {
    const { active } = await service.client.status();
    let well = { version: '1', label: active?.label ?? null };
    for (const one of cases) {
      const left = one.code === 'kept' ? { version: one.version, label: one.version } : well;
      await playOne(reload, service, one, well.version, left.version);
      assertShown(one, left.label, await service.client.status());
      well = left;
    }
  });
}

/** One handover, from the order to the last answer of the version that is left. */
async function playOne(reload: Reload, service: TestService, one: Case, well: string, left: string): Promise<void> {
  const { version, code } = one;
  const flag = join(service.folder, `${version}.flag`);
  const order = { label: version, env: { VERSION: version, FLAG: flag } };
  const report = await loaded(service, LIGHT, async (load) => {
    load.expectVersion(well);
    await answers(load, well, 40);
    load.expectAnyVersion();
    const seen = service.lines.length;
    const told = reload(service, order);
    if (code === REJECTED) {
      // Worker by worker, a version serves before it bakes: its crashes have to wait.
      await service.line('baking', (line) => service.lines.indexOf(line) >= seen);
      writeFileSync(flag, '');
    }
    assertTold(one, await told);
    await waitFor(async () => (await service.client.status()).phase === 'steady', 'all is steady again');
    load.expectVersion(left);
    await answers(load, left, 40);
  });
  assertCosts(one, report);
}

function assertTold({ version, code, reason }: Case, told: Told): void {
  const shown = `${version}: ${JSON.stringify(told.answer)}`;
  if (code === 'kept') {
    const { decision, reason: why } = told.answer.verdict as { decision: string; reason: string };
    assert.deepEqual([told.code, decision], [0, 'keep'], shown);
    assert.match(why, reason, shown);
    return;
  }
  assert.deepEqual([told.code, told.answer.code], [1, code], shown);
  assert.match(String(told.answer.why), reason, shown);
}

function assertCosts({ version, costs }: Case, report: Report): void {
  if (costs.length === 0) return assertUnnoticed(report);
  const others = Object.entries(report.failures).filter(
    ([kind, count]) => count > 0 && !costs.some((one) => one === kind)
  );
  assert.deepEqual(others, [], `${version}:\n${formatReport(report)}`);
}

function assertShown(
  { version, code, reason }: Case,
  label: string | null,
  { active, standby, history }: Status
): void {
  assert.equal(active?.label, label, `${label} is active after ${version}`);
  assert.equal(active?.rejected, null);
  const entry = history.findLast((one) => one.label === version) as HistoryEntryStatus;
  if (code === 'kept') {
    assert.equal(entry.outcome, 'active');
    return;
  }
  assert.equal(entry.outcome, code === REJECTED ? 'rejected' : 'failed');
  assert.match(entry.reason ?? '', reason);
  // Where a version is kept warm, the bad one is, for whoever wants to know what was wrong with it.
  if (code === REJECTED && entry.strategy !== 'in-place') {
    assert.equal(standby?.label, version);
    assert.match(standby?.rejected ?? '', reason);
  }
}
