import assert from 'node:assert/strict';
import type { Notice } from '../../src/core/state/state.ts';
import { HandoverError } from '../../src/errors.ts';
import type { Clock, FleetPorts, Seen } from '../../src/fleet/fleet-ports.ts';
import { keysOf } from '../../src/fleet/keys.ts';
import { Member } from '../../src/fleet/member.ts';
import { type Goal, readGoal, writeGoal } from '../../src/fleet/rules/goal.ts';
import { countPermits } from '../../src/fleet/rules/permits.ts';
import { readHolder } from '../../src/fleet/rules/records.ts';
import { MemoryEtcd } from './memory-etcd.ts';

const keys = keysOf('shop');

interface Timer {
  readonly at: number;
  readonly then: () => void;
  readonly of: string;
}

/** Time that passes when a test says so. */
export class SimulatedTime {
  now = 0;
  readonly timers = new Set<Timer>();
  readonly #draw: () => number;

  constructor(draw: () => number) {
    this.#draw = draw;
  }

  clock(of: string): Clock {
    return {
      now: () => this.now,
      draw: this.#draw,
      after: (ms, then) => {
        const timer = { at: this.now + ms, then, of };
        this.timers.add(timer);
        return () => void this.timers.delete(timer);
      }
    };
  }

  /** Lets the next timer come. @returns whether there is one */
  pass(): boolean {
    const [next] = [...this.timers].sort((one, other) => one.at - other.at);
    if (!next) return false;
    this.timers.delete(next);
    this.now = Math.max(this.now, next.at);
    next.then();
    return true;
  }
}

/** A handover of a machine that the test ends as it likes. */
interface Handover {
  readonly to: string;
  end(isGood: boolean): void;
}

/** A machine whose supervisor is made up: in place, so that it does not accept while it deploys. */
export class SimulatedMachine {
  readonly id: string;
  readonly fleet: SimulatedFleet;
  label = '1';
  generation = 1;
  standby: string | null = null;
  handover: Handover | null = null;
  /** Whether it lost its lease in the middle of a handover: nobody can count it then. */
  wasCutOff = false;
  isThere = true;
  member: Member;
  readonly told: Notice[] = [];
  #life = 1;
  #onChange = () => {};

  constructor(fleet: SimulatedFleet, id: string) {
    this.fleet = fleet;
    this.id = id;
    this.member = this.#begin();
  }

  get client(): string {
    return `${this.id}#${this.#life}`;
  }

  /** Dies without a word, and the handover with it: what was active still is. */
  crash(): void {
    this.isThere = false;
    this.handover = null;
    this.fleet.etcd.drop(this.client);
    for (const timer of this.fleet.time.timers) if (timer.of === this.client) this.fleet.time.timers.delete(timer);
  }

  restart(): void {
    this.#life += 1;
    this.isThere = true;
    this.wasCutOff = false;
    this.member = this.#begin();
  }

  #begin(): Member {
    const { etcd, time } = this.fleet;
    const member = new Member(
      { service: 'shop', machine: this.id, zone: null },
      this.#ports(),
      etcd.store(this.client),
      time.clock(this.client)
    );
    member.begin();
    return member;
  }

  #ports(): FleetPorts {
    const life = this.#life;
    return {
      ...{ folder: '/srv', host: this.id, socket: `/run/${this.id}.sock` },
      look: (): Seen => ({
        ...{ label: this.label, generation: this.generation, busy: this.handover !== null },
        standby: this.standby === null ? null : { label: this.standby },
        ready: this.handover === null,
        ...{ state: this.handover ? 'starting' : 'steady', addresses: [], verdict: null, drained: null }
      }),
      onChange: (listener) => {
        this.#onChange = listener;
        return () => {};
      },
      reload: ({ label = '' }) => {
        this.fleet.onBegin(this);
        return this.#hand(label, life) as never;
      },
      rollback: (to) => {
        if (to !== null) this.fleet.onBegin(this);
        const label = this.standby ?? '1';
        if (to !== null) return this.#hand(label, life);
        [this.label, this.standby] = [label, this.label];
        this.generation += 1;
        this.#onChange();
        return Promise.resolve();
      },
      abort: async () => this.handover?.end(false),
      fetch: async () => ({ ok: true }),
      announce: (notice) => void this.told.push(notice)
    };
  }

  #hand(to: string, life: number): Promise<unknown> {
    return new Promise((done, fail) => {
      this.wasCutOff = false;
      this.handover = {
        to,
        end: (isGood) => {
          if (life !== this.#life) return;
          this.handover = null;
          if (isGood) {
            [this.standby, this.label] = [this.label, to];
            this.generation += 1;
          }
          this.#onChange();
          if (isGood) done({ verdict: { decision: 'keep', reason: 'the test says so' } });
          else fail(rejected());
        }
      };
      this.#onChange();
    });
  }
}

function rejected(): HandoverError {
  return new HandoverError('HANDOVER_ERR_CANDIDATE_REJECTED', {
    what: 'Rejected',
    why: 'the test says so',
    fix: 'None'
  });
}

/** Several machines over one etcd, one step at a time. */
export class SimulatedFleet {
  readonly time: SimulatedTime;
  readonly etcd: MemoryEtcd;
  readonly machines: SimulatedMachine[] = [];
  #limit = 0;

  constructor(draw: () => number) {
    this.time = new SimulatedTime(draw);
    this.etcd = new MemoryEtcd(() => this.time.now);
  }

  add(id: string): SimulatedMachine {
    const machine = new SimulatedMachine(this, id);
    this.machines.push(machine);
    return machine;
  }

  get goal(): Goal | null {
    const found = this.etcd.kvs.get(keys.goal);
    return found ? readGoal(found.value) : null;
  }

  /** Writes the goal, as an operator does. */
  order(change: (goal: Goal | null) => Goal): Goal {
    const goal = change(this.goal);
    this.etcd.txn({ success: [{ put: keys.goal, value: writeGoal(goal) }] });
    return goal;
  }

  /** A machine begins a handover that takes it away: only with a permit, and never more than may be missing. */
  onBegin({ id }: SimulatedMachine): void {
    const permits = [...this.etcd.kvs.values()].filter(({ key }) => key.startsWith(keys.permits));
    const own = permits.filter(({ value }) => readHolder(value).machine === id);
    assert.equal(own.length, 1, `${id} begins, and has ${own.length} permits`);
    assert.ok(permits.length <= this.#mayBeMissing(), `${permits.length} permits`);
  }

  /** Where a deploy is followed by one that lets fewer be missing, those who have begun are at it all the same. */
  #mayBeMissing(): number {
    const goal = this.goal;
    assert.ok(goal);
    const limit = countPermits(goal.maxUnavailable, this.machines.length);
    const isFree = ![...this.etcd.kvs.keys()].some((key) => key.startsWith(keys.permits));
    const isIdle = isFree && this.machines.every(({ handover }) => !handover);
    this.#limit = isIdle ? limit : Math.max(this.#limit, limit);
    return this.#limit;
  }

  /** What must hold at every moment. */
  check(): void {
    const goal = this.goal;
    this.etcd.expire();
    for (const machine of this.machines) {
      const alive = [...this.etcd.leases.values()].some(({ client }) => client === machine.client);
      if (machine.handover && !alive) machine.wasCutOff = true;
    }
    if (!goal) return;
    const missing = this.machines.filter(({ handover, wasCutOff }) => handover && !wasCutOff);
    const limit = this.#mayBeMissing();
    assert.ok(
      missing.length <= limit,
      `missing at once: ${missing.map(({ id }) => id).join(', ')}, and ${limit} may be`
    );
  }
}

/** Lets everything happen that follows from what was done last. */
export function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
