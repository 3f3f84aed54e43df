import { join } from 'node:path';
import { ControlClient } from '../../src/control/client.ts';
import type { Status } from '../../src/core/status.ts';
import { Child } from './child.ts';
import type { Place } from './proxy.ts';
import { CLI } from './releases.ts';

/** What `handover run` is told on each machine. */
export interface MachineSettings {
  readonly folder: string;
  readonly service: string;
  /** By which etcd is found. */
  readonly etcdFlags: readonly string[];
  /** Further flags of `handover run`. */
  readonly flags: readonly string[];
  /** The label of the release that it is started with. */
  readonly label: string;
  /** What only this machine has in its environment. */
  readonly env: NodeJS.ProcessEnv;
}

/** A machine of the fleet: a supervisor as anybody runs it, on an address of this machine that is its own. */
export class Machine {
  readonly place: Place;
  readonly client: ControlClient;
  readonly #settings: MachineSettings;
  readonly #socket: string;
  #child: Child | null = null;

  constructor(place: Place, settings: MachineSettings) {
    this.place = place;
    this.#settings = settings;
    this.#socket = join(settings.folder, `${place.name}.sock`);
    this.client = new ControlClient(this.#socket);
  }

  get name(): string {
    return this.place.name;
  }

  get child(): Child {
    if (!this.#child) throw new Error(`${this.name} was not started`);
    return this.#child;
  }

  /** Starts it, or starts it again after its supervisor was killed; waits until it is part of the fleet. */
  async start({ label = this.#settings.label, joined = true } = {}): Promise<void> {
    const { folder, service, etcdFlags, flags, env } = this.#settings;
    const { name, host, port, agentPort, enter = [] } = this.place;
    const words = [
      ...['run', '--listen', `${host}:${port}`, '--name', `${service}-${name}`, '--socket', this.#socket],
      ...['--agent-check', `${host}:${agentPort}`, '--log', 'json', '--label', label],
      ...['--service', service, '--machine', name, ...etcdFlags, ...flags],
      `releases/${label}/app.mjs`
    ];
    const [file = '', ...rest] = [...enter, process.execPath, CLI, ...words];
    this.#child = new Child(name, file, rest, {
      cwd: folder,
      env: { ...process.env, ...env, MACHINE: name }
    });
    await this.#child.line(this.#isRestart ? '"event":"' : '"event":"started"');
    this.#isRestart = true;
    if (joined) await this.#child.line('"event":"fleet-joined"');
  }

  #isRestart = false;

  status(): Promise<Status> {
    return this.client.status();
  }

  /** The label of what serves now. */
  async label(): Promise<string | null> {
    const { active } = await this.status();
    return active?.label ?? null;
  }

  async end(): Promise<void> {
    await this.#child?.end();
    await this.client.close();
  }
}
