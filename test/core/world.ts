import { isHeld } from '../../src/core/rules/hold.ts';
import { activeOf, rolesOf } from '../../src/core/state/generations.ts';
import type { Effect, News, Start, State, WorkerEvent } from '../../src/core/state/state.ts';
import { step } from '../../src/core/step.ts';
import { NOTHING_MEASURED } from '../../src/core/verdict/measured.ts';
import { brokenDeadlines, brokenPromises } from './promises.ts';
import { release, type Setting, showEffect, showState } from './script.ts';

type Order =
  | 'boot'
  | 'reload'
  | 'rollback'
  | 'promote'
  | 'abort'
  | 'retire'
  | 'scale'
  | 'share'
  | 'drain'
  | 'undrain'
  | 'stop';

type Told = 'accept' | 'pause' | 'hold' | 'drain' | 'activate' | 'deactivate';

/** One worker as it really is, which the core only hears of. */
export interface Process {
  readonly id: string;
  alive: boolean;
  started: boolean;
  accepting: boolean;
  whileActive: boolean;
  /** It does nothing any more, not even end on SIGTERM. */
  hung: boolean;
  /** What it was told and has not done. */
  readonly inbox: (Told | 'hand' | 'hush' | 'finish' | 'exit')[];
  /** What it said and nobody has heard. */
  readonly outbox: WorkerEvent['type'][];
  /** The host counts what it lent: an answer to an `accept` that was taken back is not passed on. */
  opening: boolean;
}

/** The world around the core: workers, wires and clocks, and a memory of all that was said. */
export class World {
  state: State;
  now = 1_000_000;
  readonly processes = new Map<string, Process>();
  readonly deadlines = new Map<string, number>();
  readonly answers = new Map<number, number>();
  readonly transcript: string[] = [];
  readonly broken: string[] = [];
  /** Generations that are being checked, or workers where a strategy asks one by one. */
  readonly proving = new Set<number | string>();
  /** The generation for which something runs between the versions. */
  migrating: number | null = null;
  /** The generations whose addresses are being asked. */
  readonly verifying = new Set<number>();
  lastRequest = 0;

  constructor({ limits }: Setting) {
    const none = { lastGeneration: 0, retiring: [], history: [], drained: null, plannedStop: null };
    this.state = { phase: 'stopped', limits, ...none };
  }

  get living(): Process[] {
    return [...this.processes.values()].filter(({ alive }) => alive);
  }

  post(news: News): void {
    const before = this.state;
    const served = this.#acceptors().some(({ id }) => activeOf(before)?.workers.some((worker) => worker.id === id));
    const after = step(before, news);
    this.state = after.state;
    this.transcript.push(`> ${JSON.stringify(news)}`, `  ${showState(after.state)}`);
    this.broken.push(...brokenPromises(before, news, after));
    for (const effect of after.effects) this.#perform(effect);
    if ('request' in news && !this.answers.has(news.request)) this.answers.set(news.request, 0);
    this.broken.push(...brokenDeadlines(this.state, new Set(this.deadlines.keys())));
    const { phase } = this.state;
    const over =
      phase === 'stopping' ||
      phase === 'stopped' ||
      isHeld(this.state) ||
      mayStandStill(before) ||
      mayStandStill(this.state);
    if (news.type === 'worker-hung') return;
    if (served && !over && this.#acceptors().length === 0)
      this.broken.push('the last worker that really accepts was told to stop');
  }

  /** Workers that accept and were not told otherwise, or were told to as the last thing, as far as anybody can know. */
  #acceptors(): Process[] {
    const heardOf = [...this.processes.values()].filter(({ alive, outbox }) => alive || outbox.length > 0);
    return heardOf.filter(({ accepting, inbox }) => {
      const last = inbox.findLast((told) => ['accept', 'pause', 'hold', 'drain', 'exit'].includes(told));
      return last === undefined ? accepting : last === 'accept';
    });
  }

  #perform(effect: Effect): void {
    if (effect.do !== 'announce') this.transcript.push(`    ! ${showEffect(effect)}`);
    switch (effect.do) {
      case 'fork':
        this.processes.set(effect.worker, {
          id: effect.worker,
          ...{ alive: true, started: false, accepting: false, whileActive: false, hung: false, opening: false },
          inbox: [],
          outbox: []
        });
        return;
      case 'set-deadline':
        this.deadlines.set(`${effect.deadline} ${effect.about}`, this.now + effect.afterMs);
        return;
      case 'clear-deadline':
        this.deadlines.delete(`${effect.deadline} ${effect.about}`);
        return;
      case 'reply':
        this.answers.set(effect.request, (this.answers.get(effect.request) ?? 0) + 1);
        return;
      case 'check':
        this.proving.add(effect.worker ?? effect.generation);
        return;
      case 'verify':
        this.verifying.add(effect.generation);
        return;
      case 'run-before-cutover':
        this.migrating = effect.generation;
        return;
      case 'cancel-before-cutover':
        return; // it comes to its end as any other: see migrate()
      case 'announce':
      case 'close-listeners':
        return;
      default:
        this.#tell(effect);
    }
  }

  #tell(effect: Extract<Effect, { worker: string }>): void {
    const process = this.processes.get(effect.worker);
    if (!process?.alive) return; // it is gone, and its exit is on the way
    if (effect.do === 'kill') return this.die(process, true);
    if (effect.do === 'fork' || (effect.do === 'hold' && effect.yields)) return;
    if (effect.do === 'accept') process.opening = true;
    if (effect.do === 'pause' || effect.do === 'hold' || effect.do === 'drain') process.opening = false;
    if (effect.do === 'activate') {
      const other = this.living.find(
        ({ id, whileActive }) => whileActive && id.split('.')[0] !== process.id.split('.')[0]
      );
      if (other) this.broken.push(`${process.id} goes on whileActive while ${other.id} really is`);
    }
    process.inbox.push(effect.do === 'terminate' ? 'exit' : effect.do);
  }

  /** Lets a worker do the first thing that it was told. */
  obey(process: Process, fails = false): void {
    const told = process.inbox.shift();
    switch (told) {
      case 'accept':
        process.accepting = !fails;
        process.outbox.push(fails ? 'worker-refused' : 'worker-accepting');
        return;
      case 'pause':
        process.accepting = false;
        process.outbox.push('worker-paused');
        process.inbox.push('hand');
        return;
      case 'hold':
        process.accepting = false;
        process.outbox.push('worker-paused');
        process.inbox.push('hush');
        return;
      case 'hush':
        process.outbox.push('worker-quiet');
        return;
      case 'drain':
        process.accepting = false;
        process.inbox.push('finish');
        return;
      case 'hand':
        process.outbox.push('worker-handed');
        return;
      case 'finish':
        process.outbox.push('worker-drained');
        return;
      case 'activate':
        process.whileActive = true;
        return;
      case 'deactivate':
        process.whileActive = false;
        process.outbox.push('worker-inactive');
        return;
      case 'exit':
        this.die(process, false);
    }
  }

  /** A worker ends. What it said last is heard first, or lost. */
  die(process: Process, silently: boolean): void {
    Object.assign(process, { alive: false, whileActive: false });
    if (silently) process.outbox.splice(0);
    process.outbox.push('worker-down');
    process.outbox.push('worker-exited');
  }

  /** Lets the core hear the first thing that a worker said. */
  hear(process: Process): void {
    const type = process.outbox.shift();
    if (!type) return;
    if (type === 'worker-accepting' || type === 'worker-refused') {
      if (!process.opening) return;
      process.opening = false;
    }
    this.say(type, process.id);
  }

  say(type: WorkerEvent['type'], worker: string): void {
    const details = { code: 'HANDOVER_ERR_LISTEN_IN_USE', why: 'of a reason' };
    this.post({
      type,
      worker,
      at: this.now,
      ...(type === 'worker-refused' || type === 'worker-exited' ? details : {}),
      ...(type === 'worker-hung' ? { silentMs: 15_000 } : {}),
      ...(type === 'worker-heavy' ? { rssBytes: 2, limitBytes: 1 } : {})
    } as News);
  }

  /** A check of some generation comes to its end. */
  prove(holds: boolean): void {
    const [about] = this.proving;
    if (about === undefined) return;
    this.proving.delete(about);
    const failing = { check: 'GET /health', why: 'it answered status 500' };
    if (typeof about === 'string' && holds) return this.say('worker-proven', about);
    this.post({
      type: holds ? 'proven' : 'check-failed',
      about: Number.parseInt(String(about), 10),
      at: this.now,
      ...(holds ? {} : failing)
    } as News);
  }

  /** What runs between two versions comes to its end. */
  migrate(holds: boolean): void {
    const about = this.migrating;
    if (about === null) return;
    this.migrating = null;
    const why = 'it exited with code 1';
    this.post({ type: holds ? 'migrated' : 'migrate-failed', about, at: this.now, ...(holds ? {} : { why }) } as News);
  }

  /** Somebody answers on every address of a generation, or not. */
  reach(answers: boolean): void {
    const [about] = this.verifying;
    if (about === undefined) return;
    this.verifying.delete(about);
    const outcome = answers ? { type: 'reached', closed: [] } : { type: 'unreached', why: 'no worker accepts on :80' };
    this.post({ ...outcome, about, at: this.now } as News);
  }

  /** Lets the time pass until the next deadline. */
  passDeadline(): boolean {
    const [next] = [...this.deadlines].sort(([, a], [, b]) => a - b);
    if (!next) return false;
    const [name, at] = next;
    this.deadlines.delete(name);
    this.now = Math.max(this.now, at);
    this.late(name);
    return true;
  }

  /** Posts a deadline, also one that was never set. */
  late(name: string): void {
    const [type = '', about = ''] = name.split(' ');
    const named = about.includes('.') ? { worker: about } : { about: Number(about) };
    this.post({ type, ...named, at: this.now, why: 'it never listened' } as News);
  }

  ask(kind: Order, size: number, how: Partial<Start> = {}): void {
    this.lastRequest += 1;
    const strategy = how.strategy ?? 'blue-green';
    const details = {
      boot: { release: release('./app.js'), size, strategy },
      reload: {
        ...{ release: release('./app.js'), size, kind: 'reload', supersedes: false, waits: false },
        ...{ strategy, ...how }
      },
      rollback: { to: null },
      share: { share: (this.lastRequest % 10) / 10 },
      scale: { size },
      drain: { forMs: size === 1 ? null : 500, closesIdle: size === 2, by: null },
      undrain: {},
      stop: { why: 'SIGTERM' },
      promote: {},
      abort: {},
      retire: {}
    }[kind];
    this.post({ type: `${kind}-asked`, request: this.lastRequest, at: this.now, ...details } as News);
  }

  /** What the supervisor measured of the active generation. */
  sample(isBad: boolean): void {
    const about = this.state.phase === 'canary' ? this.state.next.id : (activeOf(this.state)?.id ?? 0);
    const after = { ...NOTHING_MEASURED, spanMs: 5_000, requests: 100, exits: isBad ? 3 : 0 };
    this.post({ type: 'sampled', about, at: this.now, before: null, after });
  }

  /** The workers that the core should know, and knows. */
  get strangers(): string[] {
    const known = new Set(rolesOf(this.state).flatMap(({ generation }) => generation.workers.map(({ id }) => id)));
    return this.living.filter(({ id }) => !known.has(id)).map(({ id }) => id);
  }
}

/** In place, with one worker, nobody serves while one version follows the other. */
function mayStandStill(state: State): boolean {
  if (state.phase !== 'rolling') return false;
  const { order, limits, next } = state;
  return order.strategy === 'in-place' || Number(limits.maxUnavailable) >= next.size;
}
