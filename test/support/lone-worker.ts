import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bindHandle, type Handle, onInternalMessage, sendHandle } from '../../src/internals.ts';
import {
  type Address,
  ORDERS_VARIABLE,
  type Orders,
  PROTOCOL_VERSION,
  parse,
  seal,
  type ToSupervisor,
  type ToWorker
} from '../../src/protocol.ts';
import { atEnd } from './end.ts';
import type { Target } from './http.ts';
import { app } from './service.ts';
import { inTime } from './wait.ts';

const PRELOAD = fileURLToPath(new URL('../../dist/preload.cjs', import.meta.url));
const KEY = 'test';

/** One worker without a supervisor: the test says to it what a supervisor would say. It ends with the test. */
export class LoneWorker {
  readonly target: Target;
  readonly key = KEY;
  /** Everything it has said. */
  readonly said: ToSupervisor[] = [];
  readonly #child: ChildProcess;
  readonly #news = new EventEmitter();

  private constructor(child: ChildProcess, target: Target) {
    this.#child = child;
    this.target = target;
    onInternalMessage(child, (raw) => {
      const parsed = parse<ToSupervisor>(raw);
      if (!parsed || !('message' in parsed)) return;
      this.said.push(parsed.message);
      this.#news.emit('said');
    });
  }

  /** Starts one of the apps, which accepts then on a port of the system's choice. */
  static async start(
    t: TestContext,
    name: string,
    orders: Partial<Orders> = {},
    env: NodeJS.ProcessEnv = {}
  ): Promise<LoneWorker> {
    const { handle, port } = bind();
    const address: Address = { address: '127.0.0.1', family: 'IPv4', port };
    const all: Orders = {
      version: PROTOCOL_VERSION,
      worker: '1.1',
      generation: 1,
      lent: [{ key: KEY, address, named: true }],
      backlog: 64,
      budgetMs: 2_000,
      drainMs: 2_000,
      orphanMs: 0,
      measures: true,
      ...orders
    };
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...rest } = process.env;
    const child = fork(app(name), [], {
      env: { ...rest, ...env, [ORDERS_VARIABLE]: JSON.stringify(all) },
      execArgv: ['--require', PRELOAD],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 2] as unknown as 'pipe'[]
    });
    const worker = new LoneWorker(child, { host: '127.0.0.1', port });
    atEnd(t, async () => {
      handle.close();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await inTime(exited, `the end of ${name}`);
    });
    await worker.hears('listening');
    worker.say({ type: 'accept', key: KEY }, handle);
    await worker.hears('accepting');
    return worker;
  }

  say(message: ToWorker, handle?: Handle, done: () => void = () => {}): void {
    sendHandle(this.#child, seal(message), handle, done);
  }

  /** Waits until it says something, or has said it. */
  hears<T extends ToSupervisor['type']>(
    type: T,
    fits: (message: Extract<ToSupervisor, { type: T }>) => boolean = () => true
  ): Promise<Extract<ToSupervisor, { type: T }>> {
    type Wanted = Extract<ToSupervisor, { type: T }>;
    const found = () => this.said.find((one): one is Wanted => one.type === type && fits(one as Wanted));
    return inTime(
      new Promise<Wanted>((done) => {
        const look = () => {
          const one = found();
          if (one) done(one);
          else this.#news.once('said', look);
        };
        look();
      }),
      () => `"${type}"; it said: ${this.said.map((one) => one.type).join(', ')}`
    );
  }
}

function bind(): { handle: Handle; port: number } {
  const handle = bindHandle({ address: '127.0.0.1', port: 0, ipv6Only: false });
  if (typeof handle === 'number') throw new Error(`the system gave no port: ${handle}`);
  const out: { port?: number } = {};
  handle.getsockname?.(out);
  return { handle, port: out.port ?? 0 };
}
