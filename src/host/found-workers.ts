import type { Handle } from '../internals/net.ts';
import type { Hello, ToSupervisor } from '../protocol/messages.ts';
import { parse } from '../protocol/parse.ts';
import type { NamedWorker } from './link-file.ts';
import type { Knock } from './links.ts';
import { isSame } from './processes/running-process.ts';

/** How long those that run may take to knock, and to give what they keep. A worker that is stopped or blocked does not. */
const GATHER_MS = 8_000;
const LOOK_MS = 10;

/** Something that came over a link. */
export type Heard = readonly [raw: unknown, handle: Handle | undefined];

type NamedWorkers = readonly NamedWorker[];

/** A worker of an earlier supervisor, and what it kept for this one. */
export interface FoundWorker {
  readonly named: NamedWorker;
  readonly hello: Hello;
  readonly knock: Knock;
  readonly listeners: ReadonlyMap<string, Handle>;
  readonly outputs: ReadonlyMap<number, Handle>;
  /** What else it has said since. */
  readonly heard: readonly Heard[];
}

interface Coming {
  readonly knock: Knock;
  readonly listeners: Map<string, Handle>;
  readonly outputs: Map<number, Handle>;
  readonly heard: Heard[];
  resumed: boolean;
}

/** Waits for the workers that an earlier supervisor has left, and hears what they have. */
export class FoundWorkers {
  readonly #named: ReadonlyMap<string, NamedWorker>;
  readonly #coming = new Map<string, Coming>();

  constructor(earlier: NamedWorkers) {
    const alive = earlier.filter(({ pid, startedAt }) => isSame(pid, startedAt));
    this.#named = new Map(alive.map((one) => [one.id, one]));
  }

  /** How many of them still run. */
  get count(): number {
    return [...this.#named.values()].filter(({ pid, startedAt }) => isSame(pid, startedAt)).length;
  }

  onKnock(knock: Knock): void {
    const { worker, pid } = knock.hello;
    const named = this.#named.get(worker);
    if (named?.pid !== pid) return knock.refuse(`worker ${worker} is another process than pid ${pid}, or none`);
    const one: Coming = { knock, listeners: new Map(), outputs: new Map(), heard: [], resumed: false };
    this.#coming.set(worker, one);
    knock.open({
      onMessage: (raw, handle) => take(one, raw, handle),
      // It knocks again if it is still there.
      onEnd: () => this.#coming.get(worker) === one && this.#coming.delete(worker)
    });
    knock.welcome();
  }

  /** Settles as soon as all are heard that still run, or their time is over. */
  async gather(): Promise<FoundWorker[]> {
    const until = performance.now() + GATHER_MS;
    const isAwaited = ({ id, pid, startedAt }: NamedWorker) =>
      this.#coming.get(id)?.resumed !== true && isSame(pid, startedAt);
    while (performance.now() < until && [...this.#named.values()].some(isAwaited))
      await new Promise((done) => setTimeout(done, LOOK_MS));
    return [...this.#named.values()].flatMap((named) => {
      const one = this.#coming.get(named.id);
      return one?.resumed ? [{ named, ...one, hello: one.knock.hello }] : [];
    });
  }
}

function take(one: Coming, raw: unknown, handle: Handle | undefined): void {
  const parsed = parse<ToSupervisor>(raw);
  const message = 'message' in parsed ? parsed.message : null;
  if (message?.type === 'kept' && handle) keep(one.listeners, message.key, handle);
  else if (message?.type === 'kept-output' && handle) keep(one.outputs, message.fd, handle);
  else if (message?.type === 'resumed') one.resumed = true;
  else one.heard.push([raw, handle]);
}

function keep<K>(all: Map<K, Handle>, key: K, handle: Handle): void {
  all.get(key)?.close();
  all.set(key, handle);
}
