import type { Release, ReleaseSettings } from '../core/state/state.ts';
import type { Plan } from '../host/listeners/plans.ts';
import type { ConfigChange } from './configuration.ts';

/** What a reload starts. */
export interface Prepared {
  readonly release: Release;
  readonly settings: ReleaseSettings;
  readonly change: ConfigChange | null;
  readonly plan: Plan | null;
}

/** Of an order that is refused in any case. */
const NO_RELEASE: Release = {
  ...{ entry: '', file: '', cwd: '', folder: '', args: [], env: {} },
  ...{ envFile: null, node: null, nodeOptions: [], label: null, asked: {} }
};

export const NOTHING = { release: NO_RELEASE, change: null, plan: null };
