import type { Context } from '../rig/model.ts';
import { Ground } from './ground.ts';
import type { Running, System } from './model.ts';
import type { PeersSettings } from './result.ts';
import { within } from './statistics.ts';
import { switchedAt, type Watched, watch } from './watch.ts';

const ORDER_MS = 30_000;

/** What every measurement needs. */
export interface PeersContext extends Context {
  readonly settings: PeersSettings;
}

/** One system, started for one measurement, with the version that is active. */
export class Session {
  readonly ground: Ground;
  readonly running: Running;
  #last = 1;
  #active = '1';
  #before = '1';

  private constructor(ground: Ground, running: Running) {
    this.ground = ground;
    this.running = running;
  }

  static async start(system: System, { machine, settings }: PeersContext): Promise<Session> {
    const core = machine.pins?.server ?? null;
    const ground = await Ground.create({ drainMs: settings.drainMs, core, node: system.node });
    try {
      return new Session(ground, await system.start(ground));
    } catch (error) {
      await ground.end();
      throw error;
    }
  }

  get port(): number {
    return this.ground.port;
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
    await this.ground.end();
  }

  async #turn(version: string, order: () => Promise<void>, onDone?: (version: string) => void): Promise<Switched> {
    this.ground.version = version;
    const ordered = async () => {
      await within(ORDER_MS, 'a deploy', order());
      onDone?.(version);
    };
    const watched = await watch(this.port, ordered, version);
    this.#before = this.#active;
    this.#active = version;
    const at = switchedAt(watched.sightings, version);
    return { ...watched, at, tookMs: at === null ? null : at - watched.orderedAt };
  }
}

export interface Switched extends Watched {
  /** From when on only the new version answered fresh connections, on the shared clock. */
  readonly at: number | null;
  readonly tookMs: number | null;
}
