import type { News, Release } from '../core/state/state.ts';
import { runBeforeCutover } from '../host/processes/run-before-cutover.ts';
import type { Options } from '../options/options.ts';
import { type App, environmentOf } from './start-worker.ts';

interface BeforeCutoverPorts {
  post(news: News): void;
  now(): number;
}

/** Runs what happens between two versions, one at a time, and tells the core how it went. */
export class BeforeCutoverRunner {
  readonly #optionsOf: (release: Release) => Options;
  readonly #app: App;
  readonly #ports: BeforeCutoverPorts;
  #running = new AbortController();

  constructor(optionsOf: (release: Release) => Options, app: App, ports: BeforeCutoverPorts) {
    this.#optionsOf = optionsOf;
    this.#app = app;
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

  async #run(from: number, to: number, release: Release, signal: AbortSignal): Promise<void> {
    const { post, now } = this.#ports;
    const { cwd } = release;
    const options = this.#optionsOf(release);
    const { beforeCutover } = options;
    if (!beforeCutover) return post({ type: 'migrated', about: to, at: now() });
    const env = environmentOf(this.#app, release, options);
    const account = this.#app.users.of(options);
    const done = await runBeforeCutover(beforeCutover, { from, to, cwd, env, account, signal }, process.stderr);
    if (done.ok) post({ type: 'migrated', about: to, at: now() });
    else post({ type: 'migrate-failed', about: to, why: done.why, at: now() });
  }
}
