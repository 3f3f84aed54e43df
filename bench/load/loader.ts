import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Context } from '../rig/model.ts';
import { endProcess, firstMessage, startProcess } from '../rig/processes.ts';
import type { Order } from './process.ts';
import type { PacedStretch, Stretch } from './ways.ts';

const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url));

/** The load, from outside: one process, on a core of its own where there is one. */
export class Loader {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (reason: Error) => void }>();
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', ({ id, result, failure }: { id: number; result?: unknown; failure?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`the load failed: ${failure}`));
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the load ended'));
    });
  }

  static async start({ machine }: Context): Promise<Loader> {
    const child = startProcess({ args: ['--import', 'tsx', PROCESS], core: machine.pins?.load ?? null });
    await firstMessage(child, 'the load');
    return new Loader(child);
  }

  /** Opens kept-alive connections under a name, each proven by one answer. */
  open(name: string, port: number, connections: number): Promise<Stretch> {
    return this.#tell({ do: 'open', name, port, connections });
  }

  touch(name: string): Promise<Stretch> {
    return this.#tell({ do: 'touch', name });
  }

  flood(name: string, ms: number): Promise<Stretch> {
    return this.#tell({ do: 'flood', name, ms });
  }

  /** @unit rate: requests per second */
  pace(name: string, rate: number, ms: number): Promise<PacedStretch> {
    return this.#tell({ do: 'pace', name, rate, ms });
  }

  fresh(port: number, ms: number, together: number): Promise<Stretch> {
    return this.#tell({ do: 'fresh', port, ms, together });
  }

  async close(name: string): Promise<void> {
    await this.#tell({ do: 'close', name });
  }

  end(): Promise<void> {
    return endProcess(this.#child);
  }

  #tell<T>(order: Order): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    const told = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#child.send({ id, order });
    });
    told.catch(() => {}); // whoever waits for it hears of it, also if that is later
    return told;
  }
}
