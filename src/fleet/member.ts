import type { FleetStatus } from '../core/status.ts';
import { HandoverError } from '../errors.ts';
import { askStore } from './ask-store.ts';
import { Deeds } from './deeds.ts';
import { noticeOf, noticesOf } from './fleet-notices.ts';
import type { Clock, FleetPorts, MemberPlace, Seen, Store } from './fleet-ports.ts';
import { keysOf } from './keys.ts';
import { MachineLine } from './machine-line.ts';
import { Membership } from './membership.ts';
import { PredecessorWatch } from './predecessor-watch.ts';
import { Reader } from './reader.ts';
import {
  createMember,
  type Deed,
  type MemberEffect,
  type MemberEvent,
  type MemberState
} from './rules/member-state.ts';
import { countMachines, step } from './rules/member-step.ts';
import { paceMs } from './rules/permits.ts';
import { phaseOf } from './rules/target.ts';

/** How often the own service is looked at: whether a worker accepts is told by nobody. */
const LOOK_MS = 1_000;
/** How soon it is asked again where etcd did not answer, or all permits were taken. */
const SOON_MS = 1_500;
/** A fleet that is told of a deploy does not come to etcd all at once: so long for each machine. */
const SPREAD_MS = 20;
const GATHER_MS = 150;

/** This machine as a part of its fleet: what it learns goes to the rules, and what they decide is done. */
export class Member {
  readonly #ports: FleetPorts;
  readonly #service: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #reader: Reader;
  readonly #membership: Membership;
  readonly #deeds: Deeds;
  readonly #line: MachineLine;
  readonly #watch: PredecessorWatch;
  readonly #queue: MemberEvent[] = [];
  readonly #keys: ReturnType<typeof keysOf>;
  #state: MemberState;
  #seen: Seen;
  #busy = false;
  #closed = false;
  #isAway = false;
  #stopLooking = () => {};
  #cancelLook = () => {};
  /** Answers to what was asked under an earlier lease are not heard any more. */
  #epoch = 0;
  #recheck = { at: Number.POSITIVE_INFINITY, cancel: () => {} };
  #bake: { readonly of: string; readonly cancel: () => void } | null = null;

  constructor(place: MemberPlace, ports: FleetPorts, store: Store, clock: Clock) {
    this.#ports = ports;
    this.#store = store;
    this.#clock = clock;
    const { machine, zone } = place;
    this.#keys = keysOf(place.service);
    this.#service = place.service;
    this.#state = createMember({ id: machine, zone });
    this.#seen = ports.look();
    this.#reader = new Reader((key, reason) =>
      ports.announce({ level: 'warn', event: 'fleet-unreadable', key, reason: `${key} is not usable: ${reason}` })
    );
    this.#deeds = new Deeds(ports);
    const keys = this.#keys;
    this.#membership = new Membership({
      ...{ store, keys, clock, reader: this.#reader },
      record: () => this.#line.record(this.#state, this.#seen),
      post: (event) => this.#hear(event),
      onAway: (reason) => this.#tellAway(reason),
      onJoined: () => this.#tellJoined()
    });
    const lease = () => this.#membership.lease;
    this.#line = new MachineLine({ store, clock, lease, key: keys.machine(machine), place, ports });
    this.#watch = new PredecessorWatch({ store, reader: this.#reader, post: (event) => this.#post(event) });
  }

  begin(): void {
    this.#post({ type: 'running', running: this.#seen });
    this.#stopLooking = this.#ports.onChange(() => this.#look());
    this.#lookAgain();
    this.#membership.begin();
  }

  #lookAgain(): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      this.#look();
      if (!this.#closed) this.#lookAgain();
    });
  }

  get state(): MemberState {
    return this.#state;
  }

  /** What the status of the service says of its fleet. */
  get status(): FleetStatus {
    const { joined, goal, me } = this.#state;
    const { release, state } = goal?.doc ?? { release: null, state: null };
    return {
      ...{ service: this.#service, machine: me.id, joined, release: release?.label ?? null, state },
      ...phaseOf(this.#state)
    };
  }

  /** Leaves the fleet. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopLooking();
    this.#cancelLook();
    this.#recheck.cancel();
    this.#bake?.cancel();
    this.#watch.close();
    this.#line.close();
    await this.#membership.close();
    await this.#store.close();
  }

  #look(): void {
    const seen = this.#ports.look();
    const isSame = JSON.stringify(seen) === JSON.stringify(this.#seen);
    this.#seen = seen;
    if (!isSame) this.#post({ type: 'running', running: seen });
  }

  /** What all machines are told at once, each hears a little later than the one before; a stop at once. */
  #hear(event: MemberEvent): void {
    const state = event.type === 'goal' ? event.goal?.doc.state : undefined;
    if (event.type !== 'goal' || (state !== 'canary' && state !== 'rolling')) return this.#post(event);
    const spread = countMachines(this.#state.machines, event.goal) * SPREAD_MS;
    this.#clock.after(this.#clock.draw() * spread, () => this.#post(event));
  }

  #post(event: MemberEvent): void {
    if (this.#closed) return;
    // Before all that was on its way.
    if (event.type === 'lease-lost') this.#queue.unshift(event);
    else this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#apply(next);
    } finally {
      this.#busy = false;
    }
    this.#settle();
  }

  #apply(event: MemberEvent): void {
    // A process that was stopped for a while comes back with answers of long ago: nothing is begun on the strength of them.
    if (event.type !== 'lease-lost' && this.#membership.isOverdue) {
      this.#queue.unshift(event);
      return this.#membership.lose('this machine gave no sign of life for too long');
    }
    if (event.type === 'joined' || event.type === 'lease-lost') this.#epoch += 1;
    const before = this.#state;
    const { state, effects } = step(before, event);
    this.#state = state;
    for (const notice of noticesOf(before, state)) this.#ports.announce(notice);
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: MemberEffect): void {
    if (effect.do === 'ask') return void this.#ask(effect.ask);
    if (effect.do === 'deed') return void this.#do(effect.deed);
    this.#deeds.giveUp();
  }

  async #ask(ask: Extract<MemberEffect, { do: 'ask' }>['ask']): Promise<void> {
    const epoch = this.#epoch;
    const { lease } = this.#membership;
    if (lease === null) return this.#post({ type: 'unanswered' });
    const asking = { store: this.#store, keys: this.#keys, me: this.#state.me.id, lease, reader: this.#reader };
    try {
      const answer = await askStore(asking, ask);
      const heard = () => {
        if (epoch === this.#epoch) this.#post({ type: 'answered', answer });
      };
      // Who stands in the queue looks ahead once all others that heard of the deploy when it did stand there, too.
      if (ask.ask === 'enqueue') this.#clock.after(GATHER_MS + this.#state.machines * SPREAD_MS, heard);
      else heard();
    } catch (error) {
      if (epoch !== this.#epoch) return;
      this.#post({ type: 'unanswered' });
      const { code, message } = HandoverError.from(error);
      // An etcd that does not answer may do so before the lease is over; whatever else it says, it is begun anew.
      if (code !== 'HANDOVER_ERR_FLEET_UNREACHABLE') this.#membership.lose(message);
    }
  }

  async #do(deed: Deed): Promise<void> {
    const goal = this.#state.goal?.doc;
    if (!goal) return;
    const since = this.#clock.now();
    const result = await this.#deeds.perform(deed, goal);
    const done = this.#state.deed;
    if (this.#closed || !done) return;
    this.#ports.announce(noticeOf(done, result, goal, this.#clock.now() - since));
    this.#look();
    this.#post({ type: 'deed-done', result });
  }

  /** What follows from the state by itself: what is watched, what is waited for, what others are shown. */
  #settle(): void {
    const { inQueue, bake, troubled, machines, joined } = this.#state;
    this.#watch.follow(joined ? (inQueue?.watched ?? null) : null);
    this.#line.show(this.#state, this.#seen);
    const of = bake && !bake.over ? `${bake.deploy}/${bake.attempt}` : null;
    if (of !== (this.#bake?.of ?? null)) {
      this.#bake?.cancel();
      const over = () => bake && this.#post({ type: 'bake-over', deploy: bake.deploy, attempt: bake.attempt });
      this.#bake = bake && of !== null ? { of, cancel: this.#clock.after(bake.forMs, over) } : null;
    }
    this.#plan(troubled || inQueue?.refused === true ? SOON_MS : paceMs(machines));
  }

  /** Looks again after that time, or a part of it: earlier, if that was planned. */
  #plan(ms: number): void {
    const at = this.#clock.now() + ms * (0.5 + this.#clock.draw() / 2);
    if (this.#recheck.at <= at || this.#closed) return;
    this.#recheck.cancel();
    const look = () => {
      this.#recheck = { at: Number.POSITIVE_INFINITY, cancel: () => {} };
      this.#post({ type: 'recheck' });
    };
    this.#recheck = { at, cancel: this.#clock.after(at - this.#clock.now(), look) };
  }

  #tellAway(reason: string): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#ports.announce({ level: 'warn', event: 'fleet-lost', reason });
  }

  #tellJoined(): void {
    this.#isAway = false;
    this.#ports.announce({ level: 'info', event: 'fleet-joined', service: this.#service, machine: this.#state.me.id });
  }
}
