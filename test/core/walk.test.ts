import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeOf } from '../../src/core/state/generations.ts';
import type { State, WorkerEvent } from '../../src/core/state/state.ts';
import { createRandom, pick, type Random } from '../support/random.ts';
import { planOf, usual } from './script.ts';
import { World } from './world.ts';

// Long random walks through a world of workers that answer late, hang, crash, refuse and come back. Every step is held
// against the promises of promises.ts. A failure prints its seed: HANDOVER_WALK_SEED=<seed> walks that one way again.

const WALKS = Number(process.env.HANDOVER_WALKS ?? 150);
const STEPS = 400;
const SHOWN = 60;

const keepWarms = [0, 1, 500, 600_000, Infinity];
const lateNews: readonly WorkerEvent['type'][] = [
  'worker-ready',
  'worker-accepting',
  'worker-paused',
  'worker-handed',
  'worker-inactive',
  'worker-drained',
  'worker-exited',
  'worker-refused',
  'worker-overdue',
  'leave-overdue',
  'kill-overdue',
  'worker-quiet',
  'worker-proven',
  'worker-hung',
  'worker-heavy'
];

const STRATEGIES = ['blue-green', 'blue-green', 'rolling', 'in-place', 'exclusive'] as const;
const PLANS = [planOf('canary=5%,50%', ['hold=200']), planOf('canary=5%', []), planOf('split=50%', [])];
const ORDERS = [
  ...(['reload', 'reload', 'reload', 'reload', 'rollback', 'rollback', 'boot'] as const),
  ...(['promote', 'abort', 'retire', 'scale', 'share', 'drain', 'undrain'] as const)
];

/** One walk: `rough` is how much goes wrong, 0-1. */
class Walk {
  readonly world: World;
  size: number;
  readonly #random: Random;
  readonly #rough: number;

  constructor(seed: number) {
    this.#random = createRandom(seed);
    this.#rough = pick(this.#random, [0, 0.1, 0.5]) ?? 0;
    this.size = 1 + Math.floor(this.#random() * 3);
    const keepWarmMs = pick(this.#random, keepWarms) ?? 0;
    const checkMs = pick(this.#random, [null, 20_000]) ?? null;
    const migrateMs = pick(this.#random, [null, 60_000]) ?? null;
    const bakeMs = pick(this.#random, [0, 30_000]) ?? 0;
    const rollsBack = this.#chance(0.7);
    const maxSurge = pick(this.#random, [1, 1, 0, 2]) ?? 1;
    const maxUnavailable = maxSurge === 0 ? 1 : (pick(this.#random, [0, 0, 1]) ?? 0);
    const drainBeforeMs = pick(this.#random, [0, 0, 300]) ?? 0;
    const times = { drainBeforeMs, keepWarmMs, checkMs, migrateMs, bakeMs };
    const limits = { ...usual.limits, ...times, rollsBack, maxSurge, maxUnavailable };
    this.world = new World({ ...usual, workers: this.size, limits });
    this.world.ask('boot', this.size);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  /** One thing happens, somewhere. */
  move(): void {
    const { world } = this;
    world.now += Math.floor(this.#random() * 50);
    if (this.#chance(0.06)) return this.#order();
    if (this.#chance(0.03)) return void world.passDeadline();
    if (this.#chance(0.1)) world.migrate(!this.#chance(0.5 * this.#rough));
    if (this.#chance(0.05)) world.sample(this.#chance(0.05));
    if (this.#chance(0.1)) world.reach(!this.#chance(0.3 * this.#rough));
    if (this.#chance(0.1)) world.prove(!this.#chance(0.3 * this.#rough));
    if (this.#chance(0.02 * this.#rough)) return this.#spoil();
    if (this.#chance(0.2 * this.#rough)) return this.#gossip();
    const process = pick(
      this.#random,
      [...world.processes.values()].filter((one) => one.alive || one.outbox.length > 0)
    );
    if (!process) return;
    if (process.outbox.length > 0 && this.#chance(0.6)) return this.#hear(process);
    if (!process.alive || process.hung) return;
    if (!process.started) {
      if (this.#chance(0.3)) Object.assign(process, { started: true }).outbox.push('worker-ready');
      else if (this.#chance(0.1 * this.#rough)) world.die(process, false);
    } else if (process.inbox.length > 0) world.obey(process, this.#chance(0.1 * this.#rough));
  }

  #hear(process: Parameters<World['hear']>[0]): void {
    const [type] = process.outbox;
    this.world.hear(process);
    // The same news twice in a row: only of what changes nothing the second time.
    if (type && type !== 'worker-refused' && type !== 'worker-accepting' && this.#chance(0.1 * this.#rough))
      this.world.say(type, process.id);
  }

  #order(): void {
    const { world } = this;
    if (world.state.phase === 'stopped') return world.ask('boot', this.size);
    if (this.#chance(0.02)) return world.ask('stop', this.size);
    const kind = pick(this.#random, ORDERS) ?? 'reload';
    if (kind === 'scale') this.size = 1 + Math.floor(this.#random() * 3);
    const strategy = pick(this.#random, STRATEGIES) ?? 'blue-green';
    const canary = strategy === 'blue-green' && this.#chance(0.3) ? pick(this.#random, PLANS) : undefined;
    const flags = { supersedes: this.#chance(0.2), waits: this.#chance(0.3) };
    world.ask(kind, this.size, { strategy, ...flags, ...(canary ? { canary } : {}) });
    if (this.#chance(0.02)) world.post({ type: 'memory-low', share: 0.05, at: world.now });
    if (this.#chance(0.02)) world.post({ type: 'hurry-asked', at: world.now });
  }

  #spoil(): void {
    const process = pick(this.#random, this.world.living);
    if (!process) return;
    if (this.#chance(0.2)) return this.world.say('worker-heavy', process.id);
    if (process.hung && this.#chance(0.5)) return this.world.say('worker-hung', process.id);
    if (this.#chance(0.5)) process.hung = !process.hung;
    else this.world.die(process, this.#chance(0.5));
  }

  /** Late news of somebody who is gone, and deadlines that were cleared a moment too late. */
  #gossip(): void {
    const { world } = this;
    const gone = [...world.processes.values()].filter(({ alive, outbox }) => !alive && outbox.length === 0);
    const process = pick(this.#random, gone);
    if (process && this.#chance(0.5)) return world.say(pick(this.#random, lateNews) ?? 'worker-ready', process.id);
    const about = Math.floor(this.#random() * world.state.lastGeneration);
    const active = activeOf(world.state)?.id;
    const names = [
      'ready-overdue',
      'check-overdue',
      'quiet-overdue',
      'open-overdue',
      'pause-overdue',
      'reach-overdue',
      'warm-over',
      'bake-over',
      'drain-overdue',
      'restart-due'
    ];
    if (about !== active && about > 0 && about < world.state.lastGeneration - 3)
      world.late(`${pick(this.#random, names)} ${about}`);
  }

  /** Lets everybody come to rest: every worker does what it was told, and every deadline but that of the standby passes. */
  rest(): void {
    const { world } = this;
    for (let turn = 0; turn < 5_000; turn += 1) {
      const speaker = [...world.processes.values()].find(({ outbox }) => outbox.length > 0);
      const worker = world.living.find(({ inbox, started }) => inbox.length > 0 || !started);
      if (speaker) world.hear(speaker);
      else if (world.proving.size > 0) world.prove(true);
      else if (world.migrating !== null) world.migrate(true);
      else if (world.verifying.size > 0) world.reach(true);
      else if (worker?.started) world.obey(worker);
      else if (worker) Object.assign(worker, { started: true, hung: false }).outbox.push('worker-ready');
      else if ([...world.deadlines.keys()].every((name) => name.startsWith('warm-over'))) return;
      else world.passDeadline();
    }
  }

  /** What is wrong with a world at rest, in words. */
  get unrest(): string[] {
    const { state, living } = this.world;
    if (state.phase === 'stopped') return [];
    if (state.phase === 'canary') return [];
    if (state.phase !== 'steady') return [`the world rests, and the core is ${state.phase}`];
    const { active, standby } = state;
    return living.flatMap(({ id, accepting, whileActive }) => {
      const believed = [...active.workers, ...(standby?.workers ?? [])].find((worker) => worker.id === id);
      if (!believed) return [`${id} runs without a role`];
      const ofActive = believed.generation === active.id;
      const serves = ofActive === accepting && ofActive === (believed.phase === 'accepting');
      const works = ofActive === whileActive && ofActive === (believed.whileActive === 'on');
      return serves && works
        ? []
        : [
            `${id}: accepting ${accepting}, on whileActive ${whileActive}, and believed ${believed.phase}, ${believed.whileActive}`
          ];
    });
  }

  /** Stops the service in a world that answers everything, or nothing at all. */
  stop(answers: boolean): void {
    const { world } = this;
    world.ask('stop', this.size);
    for (let turn = 0; turn < 5_000; turn += 1) {
      const speaker = [...world.processes.values()].find(
        ({ alive, outbox }) => outbox.length > 0 && (answers || !alive)
      );
      const worker = answers ? world.living.find(({ inbox, hung }) => inbox.length > 0 && !hung) : undefined;
      if (speaker) world.hear(speaker);
      else if (worker) world.obey(worker);
      else if (!world.passDeadline()) return;
    }
  }
}

/** How often the walks were where. */
const seen = new Map<string, number>();

function detailOf(state: State): string {
  if ('order' in state && state.phase !== 'pausing') return `${state.order.strategy} ${state.order.kind}`;
  if (state.phase !== 'steady') return '';
  if (state.completing) return 'completing';
  if (state.bake) return 'baking';
  return state.scaling ? 'scaling' : '';
}

function walk(seed: number, answers: boolean): Walk {
  const one = new Walk(seed);
  const { world } = one;
  const check = () => {
    if (world.broken.length === 0) return;
    const transcript = world.transcript.slice(-SHOWN).join('\n');
    assert.fail(`${[...new Set(world.broken)].join('\n')}\nHANDOVER_WALK_SEED=${seed}\n${transcript}`);
  };
  for (let move = 0; move < STEPS; move += 1) {
    one.move();
    world.broken.push(...world.strangers.map((id) => `worker ${id} runs, and the core does not know it`));
    check();
    const { state } = world;
    const place = `${state.phase} ${detailOf(state)}`.trim();
    seen.set(place, (seen.get(place) ?? 0) + 1);
  }
  if (answers) {
    one.rest();
    world.broken.push(...one.unrest);
    check();
  }
  one.stop(answers);
  check();
  const left = `HANDOVER_WALK_SEED=${seed}\n${world.transcript.slice(-SHOWN).join('\n')}`;
  assert.equal(world.state.phase, 'stopped', `a stop does not end\n${left}`);
  assert.deepEqual(
    world.living.map(({ id }) => id),
    [],
    `workers outlive the stop\n${left}`
  );
  assert.deepEqual([...world.deadlines.keys()], [], `deadlines outlive the stop\n${left}`);
  const unanswered = [...world.answers].filter(([, count]) => count !== 1);
  assert.deepEqual(unanswered, [], `orders (and how often they were answered)\n${left}`);
  return one;
}

const seeds = process.env.HANDOVER_WALK_SEED
  ? [Number(process.env.HANDOVER_WALK_SEED)]
  : Array.from({ length: WALKS }, (_, index) => index + 1);

test('no random walk breaks a promise, and a stop ends it when the workers answer', () => {
  for (const seed of seeds) walk(seed, true);
});

test('no random walk breaks a promise, and a stop ends it when no worker answers any more', () => {
  for (const seed of seeds) walk(seed, false);
});

test('the walks have been everywhere, often', { skip: seeds.length === 1 }, () => {
  const places = [
    ...['booting', 'steady', 'steady completing', 'steady baking', 'steady scaling', 'pausing', 'stopping', 'stopped'],
    ...[
      'canary blue-green reload',
      'starting blue-green reload',
      'checking exclusive reload',
      'opening blue-green reload'
    ],
    ...['opening blue-green rollback', 'opening exclusive reload', 'opening exclusive rollback'],
    ...['withdrawing exclusive reload', 'withdrawing in-place reload'],
    ...['quieting exclusive reload', 'quieting exclusive rollback', 'migrating exclusive reload'],
    ...['rolling rolling reload', 'rolling in-place reload', 'rolling in-place rollback']
  ];
  const rare = places.filter((place) => (seen.get(place) ?? 0) < WALKS / 20);
  assert.deepEqual(rare, [], JSON.stringify(Object.fromEntries(seen)));
});
