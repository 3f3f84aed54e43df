import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../peers/sandbox.ts';
import { Child } from './child.ts';
import { Machine } from './machine.ts';
import { type Place, startProxy } from './proxy.ts';
import { CLI, Releases } from './releases.ts';

export interface FleetWanted {
  /** How many machines there may be; they are called m1, m2 … */
  readonly most?: number;
  readonly service?: string;
  /** By which etcd is found: `--etcd` and the like. */
  readonly etcdFlags: readonly string[];
  /** Flags of `handover run`, beside those that every machine gets. */
  readonly flags?: readonly string[];
  /** What single machines have in their environment, by their names. */
  readonly envs?: Readonly<Record<string, NodeJS.ProcessEnv>>;
  /** Where each of them is. Default: on 127.0.0.1 and those after it. */
  readonly grounds?: readonly Pick<Place, 'host' | 'enter'>[];
  /** Whether HAProxy stands before them. Default: yes. */
  readonly proxied?: boolean;
}

/** What a command said, and how it ended. */
export interface Said {
  readonly code: number | NodeJS.Signals;
  readonly text: string;
}

/** Machines that run a service together, behind a load balancer: all of it on this one, each with an address of its own. */
export class Fleet {
  readonly folder: string;
  readonly port: number;
  readonly releases: Releases;
  readonly machines: readonly Machine[];
  readonly #wanted: FleetWanted;
  readonly #service: string;
  #proxy: Child | null = null;
  readonly #commands = new Set<Child>();

  private constructor(wanted: FleetWanted, port: number, places: readonly Place[]) {
    const { service = 'shop', etcdFlags, flags = [], envs = {} } = wanted;
    this.#wanted = wanted;
    this.#service = service;
    this.port = port;
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'handover-fleet-')));
    this.releases = new Releases(this.folder);
    this.releases.add('1');
    const settings = { folder: this.folder, service, etcdFlags, flags, label: '1' };
    this.machines = places.map((place) => new Machine(place, { ...settings, env: envs[place.name] ?? {} }));
  }

  /** Chooses names and ports; nothing is started yet. */
  static async prepare(wanted: FleetWanted): Promise<Fleet> {
    const places: Place[] = [];
    for (let at = 1; at <= (wanted.most ?? 3); at += 1) {
      const ground = wanted.grounds?.[at - 1] ?? { host: `127.0.0.${at}` };
      places.push({ ...ground, name: `m${at}`, port: await freePort(), agentPort: await freePort() });
    }
    return new Fleet(wanted, await freePort(), places);
  }

  /** Starts so many machines with release 1, and the load balancer. */
  async start(count = this.machines.length): Promise<void> {
    await Promise.all(this.machines.slice(0, count).map((machine) => machine.start()));
    const places = this.machines.map(({ place }) => place);
    if (this.#wanted.proxied ?? true)
      this.#proxy = await startProxy(join(this.folder, 'haproxy.cfg'), this.port, places);
  }

  machine(name: string): Machine {
    const found = this.machines.find((machine) => machine.name === name);
    if (!found) throw new Error(`there is no machine ${name}`);
    return found;
  }

  /** Begins `handover fleet …`, from anywhere. */
  begin(...words: readonly string[]): Child {
    const place = ['--service', this.#service, ...this.#wanted.etcdFlags];
    const child = new Child(`fleet ${words.join(' ')}`, process.execPath, [CLI, 'fleet', ...words, ...place], {
      cwd: tmpdir()
    });
    this.#commands.add(child);
    return child;
  }

  /** Runs `handover fleet …` to its end. */
  async run(...words: readonly string[]): Promise<Said> {
    const child = this.begin(...words);
    const code = await child.exit();
    return { code, text: child.lines.join('\n') };
  }

  /** What each machine that runs serves now. */
  labels(): Promise<(string | null)[]> {
    return Promise.all(this.machines.map((machine) => machine.label().catch(() => null)));
  }

  async end(): Promise<void> {
    await Promise.all([...this.#commands].map((child) => child.end()));
    await this.#proxy?.end('SIGKILL'); // it would wait for its clients
    await Promise.all(this.machines.map((machine) => machine.end()));
    this.releases.endLeftovers();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
