import type { News, Release } from '../core/state/state.ts';
import { migrate } from '../host/processes/run-before-cutover.ts';
import type { Migration } from '../options/strategies.ts';

interface MigrationPorts {
  post(news: News): void;
  now(): number;
}

/** Runs what happens between two versions, one at a time, and tells the core how it went. */
export class Migrations {
  readonly #migration: Migration | null;
  readonly #env: NodeJS.ProcessEnv;
  readonly #ports: MigrationPorts;
  #running = new AbortController();

  constructor(migration: Migration | null, env: NodeJS.ProcessEnv, ports: MigrationPorts) {
    this.#migration = migration;
    this.#env = env;
    this.#ports = ports;
  }

  begin(from: number, to: number, release: Release): void {
    this.#running = new AbortController();
    void this.#run(from, to, release, this.#running.signal);
  }

  /** Ends it, if it runs. That it has ended is told as ever. */
  cancel(): void {
    this.#running.abort();
  }

  async #run(from: number, to: number, { cwd, env: own }: Release, signal: AbortSignal): Promise<void> {
    const { post, now } = this.#ports;
    if (!this.#migration) return post({ type: 'migrated', about: to, at: now() });
    const env = { ...this.#env, ...own };
    const done = await migrate(this.#migration, { from, to, cwd, env, signal }, process.stderr);
    if (done.ok) post({ type: 'migrated', about: to, at: now() });
    else post({ type: 'migrate-failed', about: to, why: done.why, at: now() });
  }
}
