import { activeOf, rolesOf } from '../core/state/generations.ts';
import type { Generation, Notice, Release, State, Step, Worker } from '../core/state/state.ts';
import { type Adopted, takeOver } from '../core/take-over.ts';
import { type FoundWorker, FoundWorkers } from '../host/found-workers.ts';
import type { LinkFile } from '../host/link-file.ts';
import type { Knock } from '../host/links.ts';
import type { Listeners } from '../host/listeners/listeners.ts';
import type { Plans } from '../host/listeners/plans.ts';
import { describeAdopted } from '../host/processes/adopt-worker.ts';
import { wasGiven } from '../host/processes/running-process.ts';
import type { Workers } from '../host/processes/workers.ts';
import type { Relay } from '../host/relay.ts';
import type { TicketKeys } from '../host/ticket-keys.ts';
import type { Mailbox } from './mailbox.ts';
import { joinHistories, numberMemory, type Remembered, readMemory, writeMemory } from './memory.ts';

export interface TakeoverParts {
  readonly linkFile: LinkFile;
  readonly listeners: Listeners;
  readonly plans: Plans;
  readonly workers: Workers;
  readonly relay: Relay;
  readonly ticketKeys: TicketKeys;
  readonly mailbox: Mailbox;
  announce(notice: Notice): void;
  now(): number;
}

/** Takes over the workers of a supervisor that has ended, or was replaced; and lets the next one do so. */
export class Takeover {
  readonly #parts: TakeoverParts;
  #found: FoundWorkers | null;
  #sequence = 0;
  #memory = '';

  constructor(parts: TakeoverParts) {
    this.#parts = parts;
    const { earlier } = parts.linkFile;
    this.#found = earlier && new FoundWorkers(earlier);
  }

  onKnock(knock: Knock): void {
    if (this.#found) this.#found.onKnock(knock);
    else if (!this.#parts.workers.onKnock(knock)) this.#dismiss(knock);
  }

  /** Lets the workers know what the next supervisor has to. */
  remember(state: State): void {
    const { linkFile, listeners, plans, workers } = this.#parts;
    const addresses = listeners.held.map(({ handle: _, ...address }) => address);
    const generations = rolesOf(state).map(({ generation }) => generation);
    const memory = writeMemory({ state, addresses, plans: plans.save(generations) });
    if (memory === this.#memory) return;
    this.#sequence += 1;
    this.#memory = memory;
    workers.lending.remember(linkFile.sign(numberMemory(memory, this.#sequence)));
  }

  /**
   * Takes over what an earlier supervisor has left.
   *
   * @param given what the options would start now
   * @param onGathered called before anything is done with what was found; not all of it may have come
   * @returns the generation that serves; null where there is none, and one has to be started
   */
  async run(given: Release, onGathered: (missing: number) => Promise<void>): Promise<Generation | null> {
    const found = (await this.#found?.gather()) ?? [];
    await onGathered((this.#found?.count ?? 0) - found.length);
    this.#found = null;
    const { linkFile } = this.#parts;
    const memories = found.flatMap(({ hello }) => readMemory(linkFile.verify(hello.memory) ?? '') ?? []);
    const memory = memories.reduce<(typeof memories)[number] | null>(
      (last, one) => (last && last.sequence > one.sequence ? last : one),
      null
    );
    if (!memory) {
      for (const { knock } of found) this.#dismiss(knock);
      return null;
    }
    return this.#adopt(memory, found, given);
  }

  #adopt(memory: Remembered, found: readonly FoundWorker[], given: Release): Generation | null {
    const { listeners, plans, workers, relay, ticketKeys, now } = this.#parts;
    const state = this.#join(memory.state);
    this.#sequence = memory.sequence;
    for (const address of memory.addresses) {
      const copies = found.flatMap((one) => one.listeners.get(address.key) ?? []);
      const [handle, ...others] = copies;
      if (handle) listeners.adopt(address, handle);
      for (const other of others) other.close();
    }
    const generations = rolesOf(state).map(({ generation }) => generation);
    plans.adopt(memory.plans, generations);
    ticketKeys.adopt(found.find(({ hello }) => hello.tickets !== '')?.hello.tickets ?? '');
    relay.knowArrived(found.flatMap(({ hello }) => hello.adopted));

    const known = new Map<string, { worker: Worker; generation: Generation }>();
    for (const generation of generations)
      for (const worker of generation.workers) known.set(worker.id, { worker, generation });
    const said = new Map<string, Adopted>();
    for (const one of found) {
      const { worker, generation } = known.get(one.named.id) ?? {};
      const about = describeAdopted(one.hello, worker);
      if (!worker || !generation) this.#dismiss(one.knock);
      else {
        said.set(worker.id, about);
        workers.adopt(worker.id, generation.id, generation.release, one, about);
      }
    }
    const step = takeOver(state, said, now());
    this.#begin(step, said.size, generations);
    for (const one of found) if (said.has(one.named.id)) workers.resume(one);
    const active = activeOf(this.#parts.mailbox.state);
    if (active) this.#tellDifference(active.release, given);
    return active;
  }

  #begin(step: Step, count: number, generations: readonly Generation[]): void {
    const { announce, mailbox } = this.#parts;
    const missing = generations.reduce((sum, { workers }) => sum + workers.length, 0) - count;
    const gone = missing > 0 ? { gone: missing } : {};
    mailbox.begin(step);
    const serves = activeOf(mailbox.state);
    const active = serves ? { generation: serves.id } : {};
    announce({ level: 'info', event: 'adopted', ...active, workers: count, ...gone });
    // Whoever waits for that waits for a service that answers.
    if (serves) announce({ level: 'info', event: 'started', generation: serves.id, entry: serves.release.file });
  }

  /** Says what the options ask for that the generation which serves was started without. */
  #tellDifference(active: Release, given: Release): void {
    const differs = differencesOf(active, given);
    if (differs.length === 0) return;
    const reason = `${differs.join(', ')}: what the options say now holds from the next reload on`;
    this.#parts.announce({ level: 'info', event: 'options-differ', options: differs, reason });
  }

  /** What the file says of earlier generations, and the workers of those that run. */
  #join(saved: State): State {
    const { lastGeneration, history } = this.#parts.mailbox.state;
    return {
      ...saved,
      lastGeneration: Math.max(lastGeneration, saved.lastGeneration),
      history: joinHistories(history, saved.history)
    };
  }

  /**
   * Ends a worker that nobody needs: it finishes what it has. Nothing is signalled that is none: a pid may be another process by
   * now, or untrue.
   */
  #dismiss(knock: Knock): void {
    const { pid } = knock.hello;
    const pipe = knock.open({
      onMessage: (raw, handle) => {
        handle?.close();
        if ((raw as { type?: unknown } | null)?.type !== 'drained') return;
        pipe.close();
        if (wasGiven(pid, this.#parts.linkFile.secret)) signal(pid);
      },
      onEnd: () => {}
    });
    knock.welcome();
    knock.send({ type: 'drain', receivers: false });
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}

/** What two releases are to do differently, by the names of the options. */
function differencesOf(active: Release, given: Release): string[] {
  const of = ({ file, cwd, args, node, nodeOptions, settings }: Release) => {
    const { workers, strategy, limits, user, group } = settings ?? {};
    return { entry: file, cwd, args, node, nodeOptions, workers, strategy, limits, user, group };
  };
  const [before, now] = [of(active), of(given)];
  return Object.keys(now).filter((name) => {
    const key = name as keyof typeof now;
    return JSON.stringify(before[key]) !== JSON.stringify(now[key]);
  });
}
