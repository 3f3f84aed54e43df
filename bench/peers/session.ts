import type { Context } from '../rig/model.ts';
import type { Running, System } from './model.ts';
import type { PeersSettings } from './result.ts';
import { Sandbox } from './sandbox.ts';
import { within } from './statistics.ts';
import { switchedAt, type Watched, watch } from './watch.ts';

const ORDER_MS = 30_000;

/** What every measurement needs. */
export interface PeersContext extends Context {
  readonly settings: PeersSettings;
}

/** One system, started for one measurement, with the version that is active. */
export class Session {
  readonly sandbox: Sandbox;
  readonly running: Running;
  #last = 1;
  #active = '1';
  #before = '1';

  private constructor(sandbox: Sandbox, running: Running) {
    this.sandbox = sandbox;
    this.running = running;
  }

  static async start(system: System, { machine, settings }: PeersContext): Promise<Session> {
    const core = machine.pins?.server ?? null;
    const sandbox = await Sandbox.create({ drainMs: settings.drainMs, core, node: system.node });
    try {
      return new Session(sandbox, await system.start(sandbox));
    } catch (error) {
      await sandbox.end();
      throw error;
    }
  }

  get port(): number {
    return this.sandbox.port;
  }

  get active(): string {
    return this.#active;
  }

  /** Deploys a version that was not there before. `onDone` is called when the system calls it done. */
  deploy(onDone?: (version: string) => void): Promise<Switched> {
    this.#last += 1;
    return this.#turn(String(this.#last), () => this.running.deploy(), onDone);
  }

  /** Goes back to the version before, in the way that is the system's own. */
  rollback(onDone?: (version: string) => void): Promise<Switched> {
    const { rollback, deploy } = this.running;
    return this.#turn(this.#before, rollback ?? deploy, onDone);
  }

  async end(): Promise<void> {
    await this.sandbox.end();
  }

  async #turn(version: string, order: () => Promise<void>, onDone?: (version: string) => void): Promise<Switched> {
    this.sandbox.version = version;
    const ordered = async () => {
      await within(ORDER_MS, 'a deploy', order());
      onDone?.(version);
    };
    const watched = await watch(this.port, ordered, version);
    this.#before = this.#active;
    this.#active = version;
    const at = switchedAt(watched.observations, version);
    return { ...watched, at, tookMs: at === null ? null : at - watched.orderedAt };
  }
}

export interface Switched extends Watched {
  /** From when on only the new version answered fresh connections, on the shared clock. */
  readonly at: number | null;
  readonly tookMs: number | null;
}
