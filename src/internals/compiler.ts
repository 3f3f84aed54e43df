import * as nodeModule from 'node:module';
import { setFlagsFromString } from 'node:v8';

// What V8 does not document of when it compiles a function for speed. Tried on Node 20.20, 22.23, 24.21 and 26.10.

/** One of V8's thresholds: its flag, how it is while in a hurry, and how V8 has it. @source node --v8-options */
type Threshold = readonly [flag: string, hurried: number, usual: number];

/**
 * By the major version of Node. Those that are not here stay as they are: from Node 24 on V8 has a compiler between the
 * slow one and the fast one, and is quick after some 500 requests; before, it takes 2,000 (20) or more than 3,000 (22).
 */
const THRESHOLDS: Readonly<Record<string, readonly Threshold[]>> = {
  20: [
    ['interrupt-budget', 8_000, 67_584],
    ['minimum-invocations-after-ic-update', 50, 500]
  ],
  // Not that second one as well: it then compiles getters too early, and throws them away in the first handover.
  22: [['invocation-count-for-turbofan', 300, 3_000]]
};

/**
 * Lets V8 compile for speed after fewer calls than it would wait for: a process that gets a load all at once is quick sooner.
 *
 * Missing, or thresholds given to Node: nothing changes. Nor where modules come from a cache of compiled code: it is refused, and
 * written anew, while V8 has other flags than when it was written.
 *
 * @returns a function that gives V8 its own thresholds back
 */
export function hurryCompiler(): () => void {
  const thresholds = THRESHOLDS[process.versions.node.split('.')[0] ?? ''] ?? [];
  const own = process.execArgv.join(' ').replaceAll('_', '-');
  if (hasCache() || thresholds.some(([flag]) => own.includes(`--${flag}`))) return () => {};
  for (const [flag, hurried] of thresholds) setFlagsFromString(`--${flag}=${hurried}`);
  return () => {
    for (const [flag, , usual] of thresholds) setFlagsFromString(`--${flag}=${usual}`);
  };
}

function hasCache(): boolean {
  const { getCompileCacheDir } = nodeModule as { getCompileCacheDir?: () => string | undefined };
  return process.env.NODE_COMPILE_CACHE !== undefined || getCompileCacheDir?.() !== undefined;
}
