import { hurryCompiler } from '../../internals/compiler.ts';
import { hideRequests } from '../../internals/diagnostics.ts';
import { bindHandle, type Handle } from '../../internals/net.ts';
import type { Moving } from '../../protocol/messages.ts';
import { REHEARSAL } from '../../protocol/not-of-clients.ts';
import type { WorkerSettings } from '../../protocol/worker-settings.ts';
import type { Channel } from '../channel.ts';
import { Stage } from './stage.ts';
import { Visitor } from './visitor.ts';

const CONNECTIONS = 4;
/** Of the handovers the first one is slow, so that some connections leave while others are still used. */
const HANDOVERS = 3;
const REQUESTS = 2;
/** After so long it is broken off: the supervisor may be busy. */
const LIMIT_MS = 1_000;
/** For so long V8 compiles early what runs often: while it is checked and warmed up, and gets its first connections. */
const HURRY_MS = 10_000;

/**
 * Goes through everything that a handover does in a worker, on connections of its own, before the first public one comes.
 *
 * V8 optimises functions for the objects that it has seen. Were the first connection to be detached, sent and destroyed in
 * the middle of serving, it would throw the code of thirty functions away, Node's and ours, and serve sixteen times slower
 * for a while. What it has seen before is part of the code that it makes later.
 *
 * The app is not involved: two servers of our own hand their connections to each other, by way of the supervisor.
 */
export class Rehearsal {
  readonly #channel: Channel;
  readonly #stages: readonly [Stage, Stage];
  #isOver = false;

  constructor(channel: Channel, settings: WorkerSettings) {
    this.#channel = channel;
    this.#stages = [new Stage(`${REHEARSAL}0`, channel, settings), new Stage(`${REHEARSAL}1`, channel, settings)];
  }

  /** Tells the supervisor when it is over, however it went. */
  async run(): Promise<void> {
    const showRequests = hideRequests();
    const visitors: Visitor[] = [];
    const overdue = new Promise<void>((resolve) => setTimeout(resolve, LIMIT_MS).unref());
    await Promise.race([this.#play(visitors), overdue]).catch(() => {}); // without one, the first handover is slower
    this.#isOver = true;
    for (const visitor of visitors) visitor.close();
    for (const stage of this.#stages) stage.close();
    showRequests();
    setTimeout(hurryCompiler(), HURRY_MS).unref();
    this.#channel.send({ type: 'rehearsed' });
  }

  /** A connection that came back from the supervisor arrives at the other server. */
  onReturned({ id, key, fresh, pipelines }: Moving, handle: Handle): void {
    if (this.#isOver) return handle.close();
    const [first, second] = this.#stages;
    const [from, to] = key === first.key ? [first, second] : [second, first];
    to.adopt(
      { key, fresh, pipelines, resume: null, request: '', lot: -1, sides: 0, tries: '', last: false, private: false },
      handle
    );
    from.drain.onMoved(id, 0);
  }

  async #play(visitors: Visitor[]): Promise<void> {
    const listener = bindHandle({ address: '127.0.0.1', port: 0, ipv6Only: false });
    if (typeof listener === 'number') return;
    const bound: { port?: number } = {};
    listener.getsockname?.(bound);
    this.#stages[0].open(listener);
    for (let count = 0; count < CONNECTIONS; count += 1) visitors.push(await new Visitor().open(bound.port ?? 0));
    this.#stages[0].shut();
    for (let round = 0; round < HANDOVERS; round += 1) {
      const stage = this.#stages[round % 2 === 0 ? 0 : 1];
      await Promise.all(visitors.map((visitor) => useOften(visitor)));
      let left = false;
      const leaving = stage.leave(round > 0).then(() => {
        left = true;
      });
      if (round === 0) await Promise.all(visitors.map((visitor) => useOften(visitor)));
      stage.hurry();
      await Promise.all(visitors.map((visitor) => useUntil(visitor, () => left)));
      await leaving;
    }
    await Promise.all(visitors.map((visitor) => visitor.ask('get')));
    this.#stages[HANDOVERS % 2 === 0 ? 0 : 1].drain.end(false);
    const [upgraded, ended, ...others] = visitors;
    await Promise.all([upgraded?.ask('upgrade'), ended?.ask('last'), ...others.map((visitor) => visitor.ask('get'))]);
  }
}

async function useOften(visitor: Visitor): Promise<void> {
  for (let count = 0; count < REQUESTS; count += 1) await visitor.ask(count % 2 === 0 ? 'get' : 'post');
}

/** Every other request is under way for a moment, so that connections leave at the end of a response as well. */
async function useUntil(visitor: Visitor, isOver: () => boolean): Promise<void> {
  for (let count = 0; !isOver(); count += 1) await visitor.ask(count % 2 === 0 ? 'get' : 'later');
}
