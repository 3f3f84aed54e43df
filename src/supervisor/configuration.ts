import type { Generation, Release, ReleaseSettings } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import type { ReleaseBase } from '../host/releases/resolve-release.ts';
import { FLEET_OPTIONS } from '../options/fleet-options.ts';
import { limitsOf } from '../options/limits.ts';
import type { Options } from '../options/options.ts';
import { findChanged } from './config-changes.ts';

/** What config and flags say at one moment, checked. */
export interface Reading {
  readonly options: Options;
  readonly base: ReleaseBase;
  /** What the config says, as it was written: a variable of its `env` is called `env NAME`. */
  readonly written: ReadonlyMap<string, unknown>;
  /** What flags say, whatever the config says; called by the same names. */
  readonly flags: ReadonlySet<string>;
  /** The files that it was read from, and what they said. */
  readonly files: ReadonlyMap<string, string>;
}

/** Where the config can be read anew. */
export interface ConfigSource {
  /** @throws HANDOVER_ERR_OPTION_* */
  read(): Promise<Reading>;
  /** What the files say now, without running them. */
  look(): ReadonlyMap<string, string>;
}

/** What a config that was read anew comes to: names only, never values. */
export interface ConfigChange {
  /** What takes effect with the new generation. */
  readonly changed: readonly string[];
  /** What was changed in the config and has no effect: a flag of `run`, an earlier reload or the env file says otherwise. */
  readonly overridden: readonly string[];
  /** What takes effect only once the supervisor is started again. */
  readonly needsRestart: readonly string[];
}

const FLEET_NAMES = Object.keys(FLEET_OPTIONS) as (keyof typeof FLEET_OPTIONS)[];

/** What a supervisor is made with. */
const FIXED = [
  'name',
  'socket',
  'stateFile',
  'log',
  'logBuffer',
  'logFile',
  'logSize',
  'logKeep',
  'onEvent',
  'listenMode',
  'listenGroup',
  'supervisorUser',
  ...FLEET_NAMES
] as const;

/** What config and flags say: at the start, and for each release that was started since. */
export class Configuration {
  readonly #first: Reading;
  readonly #source: ConfigSource | null;
  readonly #readings = new WeakMap<Release, Reading>();

  /** @param source null where there is nothing to be read anew */
  constructor(first: Reading, source: ConfigSource | null) {
    this.#first = first;
    this.#source = source;
  }

  /**
   * Reads the config anew.
   *
   * @param active the generation that serves meanwhile
   * @throws HANDOVER_ERR_OPTION_*
   */
  async read(active: number | null): Promise<Reading> {
    const { options } = this.#first;
    if (!this.#source) {
      // A label names the first version alone.
      const { label: _label, ...base } = this.#first.base;
      return { ...this.#first, base };
    }
    try {
      const read = await this.#source.read();
      const fixed = Object.fromEntries(FIXED.map((name) => [name, options[name]]));
      return { ...read, options: { ...read.options, ...fixed } };
    } catch (error) {
      const { code, what, why, fix } = HandoverError.from(error);
      const account = { what, why, fix: `${fix}; nothing was reloaded, generation ${active} is still active` };
      throw new HandoverError(code, account, { cause: error, active });
    }
  }

  /** Notes from which reading a release comes. */
  keep(release: Release, reading: Reading): void {
    this.#readings.set(release, reading);
  }

  /** Lets for a release of an earlier supervisor, of which nothing is known, hold what holds for another one. */
  inherit(release: Release, from: Release): void {
    if (!this.#readings.has(release)) this.#readings.set(release, this.#readingOf(from));
  }

  /** The options that hold for a release. */
  optionsOf(release: Release | undefined): Options {
    return this.#readingOf(release).options;
  }

  /** What a new release does otherwise than the one before, as far as that comes from the config. */
  compare(before: Release, reading: Reading, release: Release): ConfigChange {
    const { env } = release;
    const { written, flags } = reading;
    const isOverridden = (name: string) => {
      if (name.startsWith('env ')) return env[name.slice(4)] !== written.get(name);
      return (
        flags.has(name) ||
        (name !== 'label' && name in release.asked) ||
        (name === 'workers' && release.settings?.scaled === true)
      );
    };
    const isFixed = (name: string) => (FIXED as readonly string[]).includes(name);
    const changed = findChanged(this.#readingOf(before).written, written).filter((name) => !isFixed(name));
    return {
      changed: changed.filter((name) => !isOverridden(name)),
      overridden: changed.filter(isOverridden),
      needsRestart: findChanged(this.#first.written, written).filter((name) => isFixed(name) && !flags.has(name))
    };
  }

  /** Says which files of the config say something else than what a generation was started with; null where none does. */
  describe(active: Generation | null): string | null {
    if (!this.#source || !active) return null;
    const names = findChanged(this.#readingOf(active.release).files, this.#source.look());
    if (names.length === 0) return null;
    const does = names.length === 1 ? 'does' : 'do';
    return `${names.join(' and ')} ${does} not say what generation ${active.id} was started with; \`handover reload\` reads it anew`;
  }

  #readingOf(release: Release | undefined): Reading {
    return (release && this.#readings.get(release)) ?? this.#first;
  }
}

/** How the generations of a release are to run. */
export function settingsOf(options: Options, scaled: number | null): ReleaseSettings {
  const { workers, strategy, pin: pins, oldAssets, user, group } = options;
  const limits = limitsOf(options);
  const affinity = options.affinity !== null;
  const routing = { affinity, pins, oldAssets };
  return { workers: scaled ?? workers, scaled: scaled !== null, strategy, limits, ...routing, user, group };
}
