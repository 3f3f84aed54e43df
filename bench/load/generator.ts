import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Context } from '../rig/model.ts';
import { endProcess, firstMessage, startProcess } from '../rig/processes.ts';
import type { Beside } from './connection.ts';
import type { LoadResult, PacedResult } from './patterns.ts';
import type { LoadCommand } from './process.ts';

const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url));

/** The load, from outside: one process, on a core of its own where there is one. */
export class LoadGenerator {
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

  static async start({ machine }: Context): Promise<LoadGenerator> {
    const child = startProcess({ args: ['--import', 'tsx', PROCESS], core: machine.pins?.load ?? null });
    await firstMessage(child, 'the load');
    return new LoadGenerator(child);
  }

  /**
   * Opens kept-alive connections under a name, each proven by one answer.
   *
   * @param users how many share them, each request being that of one of them; 0: requests are nobody's
   * @param beside another server that gets a share of the requests, if there is one
   */
  open(name: string, port: number, connections: number, users = 0, beside: Beside | null = null): Promise<LoadResult> {
    return this.#send({ do: 'open', name, port, connections, users, beside });
  }

  touch(name: string): Promise<LoadResult> {
    return this.#send({ do: 'touch', name });
  }

  flood(name: string, ms: number): Promise<LoadResult> {
    return this.#send({ do: 'flood', name, ms });
  }

  /** @unit rate: requests per second */
  pace(name: string, rate: number, ms: number): Promise<PacedResult> {
    return this.#send({ do: 'pace', name, rate, ms });
  }

  fresh(port: number, ms: number, together: number): Promise<LoadResult> {
    return this.#send({ do: 'fresh', port, ms, together });
  }

  async close(name: string): Promise<void> {
    await this.#send({ do: 'close', name });
  }

  end(): Promise<void> {
    return endProcess(this.#child);
  }

  #send<T>(command: LoadCommand): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    const replied = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#child.send({ id, command });
    });
    replied.catch(() => {}); // whoever waits for it hears of it, also if that is later
    return replied;
  }
}
