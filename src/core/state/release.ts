import type { StrategyName, Surge } from '../../options/strategies.ts';
import type { By } from '../routing/plan.ts';
import type { BakeLimits } from '../verdict/signals.ts';

export type { Surge };

/** What a generation is started from, resolved once: a later change of `current` does not reach it. */
export interface Release {
  /** The entry as the operator wrote it. */
  readonly entry: string;
  /** The real path that every worker of the generation is started from, replacements too. */
  readonly file: string;
  /** The real working directory. */
  readonly cwd: string;
  /** The working directory as the operator wrote it. */
  readonly folder: string;
  /** Arguments for the app. */
  readonly args: readonly string[];
  /** Set over the environment of the app: the env file, and over it what the order says. May hold secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** The env file as the operator wrote it. */
  readonly envFile: string | null;
  /** The real path of another Node binary; null is that of the supervisor. */
  readonly node: string | null;
  /** Options for Node itself, as `--import=tsx`. */
  readonly nodeOptions: readonly string[];
  /** What the operator calls it, else its git commit or its version; null where none was found. */
  readonly label: string | null;
  /** What reloads were told, this one and those before: it stands above what the config and the flags of `run` say. */
  readonly asked: Omit<ReleaseOrder, 'label'>;
  /** How it was to run when it was started; nothing is known of that where an earlier supervisor started it. */
  readonly settings?: ReleaseSettings;
}

/** What holds for the generations of one release, and comes back with it. */
export interface ReleaseSettings {
  /** How many workers it was started with. */
  readonly workers: number;
  /** Whether that number comes from the operator, who had scaled. */
  readonly scaled: boolean;
  readonly strategy: StrategyName;
  readonly limits: Limits;
  /** As whom its workers were to run, as the operator wrote it: for people. Null: as the supervisor. */
  readonly user?: string | null;
  readonly group?: string | null;
  /** Whether clients stay with the process that knows them. */
  readonly affinity?: boolean;
  /** What clients may say to be answered by the version that they know. */
  readonly pins?: readonly By[];
  /** Paths under which the version before is asked for what this one does not have. */
  readonly oldAssets?: readonly string[];
}

/**
 * What an order says of the release to start. Whatever it leaves out stays as it is, except the label; what it says holds
 * for the reloads after it too.
 */
export interface ReleaseOrder {
  /** Path of the file that starts the app; relative to the working directory of the app, as every path here. */
  readonly entry?: string;
  /** Working directory of the app; a symlink is resolved anew at each reload. */
  readonly cwd?: string;
  /** Variables set over the environment of the app, and over the env file; those given before stay unless named again. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file of `KEY=value` lines, read anew at each reload. */
  readonly envFile?: string;
  /** Path of another Node binary. */
  readonly node?: string;
  /** Options for Node itself, such as `--import=tsx`, in place of those before. */
  readonly nodeOptions?: readonly string[];
  /** Name of the release, 1 to 100 characters. Default: the git commit of the entry, else the version in its package.json. */
  readonly label?: string;
  /** Arguments for the app. */
  readonly args?: readonly string[];
}

/** Limits of time and number, in milliseconds, taken from the options. */
export interface Limits {
  readonly readyMs: number;
  readonly drainMs: number;
  /** `Infinity` keeps a standby until the next handover. */
  readonly keepWarmMs: number;
  /** How long connections that can move may take to do so. */
  readonly budgetMs: number;
  /** How long the checks and the warm-up of a candidate may take at the most, or null where there are none. */
  readonly checkMs: number | null;
  readonly restarts: RestartLimit;
  /** How many workers a rolling handover may start beyond the size of the generation. */
  readonly maxSurge: Surge;
  /** How many workers fewer than its size may accept during a rolling handover. */
  readonly maxUnavailable: Surge;
  /** How long load balancers are told before a stop, or a handover in which nobody serves for a moment; 0: not at all. */
  readonly drainBeforeMs: number;
  /** How long `beforeCutover` may take, or null where there is none. */
  readonly migrateMs: number | null;
  /** How long a new active generation is compared with the one before; 0 is not at all. */
  readonly bakeMs: number;
  /** How long that may go on where fewer than `bakeRequests` requests came. */
  readonly bakeAtMostMs: number;
  readonly bakeRequests: number;
  readonly bake: BakeLimits;
  /** Whether a generation that is rejected is rolled back without being asked. */
  readonly rollsBack: boolean;
}

/** How many replacements within `windowMs` are made before they come slowly. */
export interface RestartLimit {
  readonly max: number;
  readonly windowMs: number;
}
