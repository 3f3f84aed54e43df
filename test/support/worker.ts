import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bindHandle, type Handle } from '../../src/internals/net.ts';
import { acceptPipes, type MessagePipe } from '../../src/internals/pipes.ts';
import type { Address, ToSupervisor, ToWorker } from '../../src/protocol/messages.ts';
import { parse, seal } from '../../src/protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/versions.ts';
import { SETTINGS_VARIABLE, type WorkerSettings } from '../../src/protocol/worker-settings.ts';
import { atEnd } from './end.ts';
import type { Target } from './http.ts';
import { app, makeFolder } from './service.ts';
import { inTime, until } from './wait.ts';

/** A listening socket as a supervisor owns it. */
export interface Bound {
  readonly key: string;
  readonly port: number;
  readonly address: Address;
  readonly handle: Handle;
  /** Lets go of it, as a supervisor does that dies. */
  close(): void;
}

export function bind(t: TestContext): Bound {
  const handle = bindHandle({ address: '127.0.0.1', port: 0, ipv6Only: false });
  if (typeof handle === 'number') throw new Error(`bind: ${handle}`);
  const address = {} as { address: string; family: string; port: number };
  handle.getsockname?.(address);
  let open = true;
  const close = () => {
    if (open) handle.close();
    open = false;
  };
  atEnd(t, close);
  return { key: `${address.address}|${address.port}`, port: address.port, address, handle, close };
}

type Said<T extends ToSupervisor['type']> = Extract<ToSupervisor, { type: T }>;
type Taken<T extends ToSupervisor['type']> = Said<T> & { readonly handle: Handle | undefined };

interface Heard {
  readonly message: ToSupervisor;
  readonly handle: Handle | undefined;
}

/** A worker without a supervisor: the test says what that would say. It ends with the test. */
export class Worker {
  readonly child: ChildProcess;
  readonly target: Target;
  /** Ends the link, as a supervisor does that dies. */
  readonly disconnect: () => void;
  /** Everything it has said. */
  readonly said: ToSupervisor[] = [];
  readonly bound: Bound;
  readonly #heard: Heard[] = [];
  readonly #unsent: (() => void)[] = [];
  #pipe: MessagePipe | null = null;
  #lastAsk = 0;

  constructor(
    t: TestContext,
    name: string,
    bound: Bound,
    given: Partial<WorkerSettings> & { env?: NodeJS.ProcessEnv } = {}
  ) {
    const { env = {}, ...rest } = given;
    const folder = makeFolder(t);
    const path = join(folder, 'link');
    const orders: WorkerSettings = {
      version: PROTOCOL_VERSION,
      worker: '1.1',
      generation: 1,
      link: { path, secret: 'secret' },
      lent: [{ key: bound.key, address: bound.address, named: true, asked: null }],
      backlog: 511,
      budgetMs: 10_000,
      rampMs: 0,
      drainMs: 10_000,
      upgradeSpreadMs: 30_000,
      websockets: 'close',
      eventStreams: 'move',
      affinity: null,
      orphanMs: 60_000,
      measures: false,
      remembers: false,
      rehearses: false,
      ...rest
    };
    writeFileSync(join(folder, 'version'), String(orders.generation));
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...own } = process.env;
    this.bound = bound;
    this.target = { host: '127.0.0.1', port: bound.port };
    const server = acceptPipes(path, (open) => {
      this.#pipe = open({ onMessage: (raw, handle) => this.#hear(raw, handle), onEnd: () => {} });
      this.#pipe.send(seal({ type: 'welcome', supervisor: 'test' }));
      for (const send of this.#unsent.splice(0)) send();
    });
    if (typeof server === 'number') throw new Error(`link: ${server}`);
    const preload = fileURLToPath(new URL('../../dist/preload.cjs', import.meta.url));
    this.child = spawn(process.execPath, ['--require', preload, app(name)], {
      env: {
        ...own,
        VERSION_FILE: join(folder, 'version'),
        PORT: String(bound.port),
        ...env,
        [SETTINGS_VARIABLE]: JSON.stringify(orders)
      },
      // Its last words as an orphan have a place to go to, and tests talk to its app.
      stdio: ['ignore', 'inherit', 'inherit', 'ignore', 'ipc']
    });
    this.disconnect = () => {
      server.close();
      this.#pipe?.close();
    };
    atEnd(t, this.disconnect);
    const exited = once(this.child, 'exit');
    atEnd(t, async () => {
      this.child.kill('SIGKILL');
      await inTime(exited, `the end of worker ${orders.worker}`);
    });
  }

  #hear(raw: unknown, handle: Handle | undefined): void {
    const parsed = parse<ToSupervisor>(raw);
    if (!('message' in parsed)) return;
    this.said.push(parsed.message);
    this.#heard.push({ message: parsed.message, handle });
  }

  /** Says something, with the listener where the message is about one. */
  say(message: ToWorker, handle?: Handle, done: () => void = () => {}): void {
    const send = () => this.#pipe?.send(seal(message), handle, done);
    if (this.#pipe) send();
    else this.#unsent.push(send);
  }

  /** Takes the first message of a type that has not been taken yet, and waits for it. */
  hear<T extends ToSupervisor['type']>(type: T): Promise<Taken<T>> {
    return until(
      () => this.take(type),
      () => `"${type}"; it said: ${this.said.map((one) => one.type)}`
    );
  }

  take<T extends ToSupervisor['type']>(type: T, fits: (message: Said<T>) => boolean = () => true): Taken<T> | null {
    const at = this.#heard.findIndex(({ message }) => message.type === type && fits(message as Said<T>));
    const [found] = at < 0 ? [] : this.#heard.splice(at, 1);
    return found ? { ...(found.message as Said<T>), handle: found.handle } : null;
  }

  /** Starts one of the apps on a port of the system's choice, and has it accept. */
  static async start(
    t: TestContext,
    name: string,
    given: ConstructorParameters<typeof Worker>[3] = {}
  ): Promise<Worker> {
    const worker = await new Worker(t, name, bind(t), given).listens();
    await worker.accept();
    return worker;
  }

  /** Waits until its server listens: one that asks for another address than the named one gets that. */
  async listens(): Promise<this> {
    const { key, address } = this.bound;
    const ask = await until(
      () => (this.said.some(({ type }) => type === 'listening') ? 0 : this.take('listen')?.ask),
      () => `"listen"; it said: ${this.said.map((one) => one.type)}`
    );
    if (ask > 0) this.say({ type: 'bound', ask, key, address });
    await this.hear('listening');
    return this;
  }

  async accept(): Promise<void> {
    this.say({ type: 'accept', key: this.bound.key }, this.bound.handle);
    await this.hear('accepting');
  }

  async hold(): Promise<void> {
    this.say({ type: 'hold', yields: false });
    this.say({ type: 'keep', key: this.bound.key }, this.bound.handle);
    await this.hear('paused');
  }

  async report(): Promise<Said<'reported'>> {
    this.#lastAsk += 1;
    this.say({ type: 'report', ask: this.#lastAsk });
    return this.hear('reported');
  }

  /** Waits until a report says so. */
  async reports(isSo: (report: Said<'reported'>) => boolean, missing: string): Promise<void> {
    await until(async () => isSo(await this.report()), missing);
  }

  /** Brings a connection that this worker let go to another one, or back. */
  async bring({ handle, ...moving }: Taken<'connection'>, receiver: Worker, last: boolean): Promise<void> {
    if (!handle) throw new Error(`no handle came with ${moving.id}`);
    receiver.say({ ...moving, type: 'adopt', last }, handle);
    await receiver.hear('adopted');
    handle.close();
    this.say({ type: 'moved', id: moving.id, busy: 0 });
  }

  /** Carries the connections that this worker lets go to another one, until it has handed over what was idle, or all. */
  async handOverTo(receiver: Worker, end: 'handed' | 'drained' = 'handed'): Promise<number> {
    let moved = 0;
    await until(async () => {
      for (let one = this.take('connection'); one; one = this.take('connection')) {
        await this.bring(one, receiver, false);
        moved += 1;
      }
      return this.take(end);
    }, 'the end of the handover');
    return moved;
  }
}
