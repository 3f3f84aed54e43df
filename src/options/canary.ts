import type { By, CanaryPlan, Condition } from '../core/routing/plan.ts';
import { readDuration } from './durations.ts';
import { readShare } from './readers.ts';

/** How canaries go where a reload does not say otherwise; `steps` empty: there is none. */
export interface CanaryOptions {
  readonly steps: readonly number[];
  /** Milliseconds; null: the default, which depends on the steps. */
  readonly holdMs: number | null;
  /** Null: the default, which depends on what the service speaks. */
  readonly by: By | null;
  readonly always: readonly Condition[];
  readonly never: readonly Condition[];
  readonly minRequests: number;
}

/** How a canary goes, as a user writes it. */
export interface UserCanary {
  /** Its shares, one after the other: texts such as `"5%"` or numbers of 0-1, each larger than the one before. Default: none. */
  steps?: string | number | readonly (string | number)[];
  /** How long each step takes before it is judged and the next begins: a duration. Default: `"5m"` with several steps. */
  hold?: string | number;
  /** Who goes where: see `--by`. Default: `"random"`, and over TLS `"connection"`. */
  by?: string;
  /** What the canary answers in any case, such as `"header:x-beta=1"` or `"cookie:team=ours"`. */
  always?: string | readonly string[];
  /** What it never answers; stronger than `always`. */
  never?: string | readonly string[];
  /** Fewest requests that it has to have answered before a step is over. Default: 50. */
  minRequests?: number;
}

export const CANARY_DEFAULTS: CanaryOptions = {
  ...{ steps: [], holdMs: null, by: null, always: [], never: [] },
  minRequests: 50
};

/** How long a step takes where several go by themselves. */
const HOLD_MS = 300_000;

const FIELDS = ['steps', 'hold', 'by', 'always', 'never', 'minRequests'];

/** Reads a canary, or gives undefined where it is none: shares and conditions, or an object. */
export function readCanary(given: unknown): CanaryOptions | undefined {
  if (typeof given === 'number') return readCanary({ steps: given });
  if (typeof given === 'string') return readCanaryText(given);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  if (!Object.keys(given).every((name) => FIELDS.includes(name))) return undefined;
  const {
    steps = [],
    hold,
    by,
    always = [],
    never = [],
    minRequests = CANARY_DEFAULTS.minRequests
  } = given as UserCanary;
  const read = {
    steps: readSteps(steps),
    holdMs: hold === undefined ? null : readDuration(1)(hold),
    by: by === undefined ? null : readBy(by),
    always: readConditions(always),
    never: readConditions(never)
  };
  if (!Number.isSafeInteger(minRequests) || minRequests < 0) return undefined;
  const { steps: shares, holdMs, by: who, always: them, never: others } = read;
  if (!shares || holdMs === undefined || who === undefined || !them || !others) return undefined;
  return { steps: shares, holdMs, by: who, always: them, never: others, minRequests };
}

/** Reads `5%`, `1%,10%,50%` or `header:x-beta=1,cookie:team=ours`. */
function readCanaryText(text: string): CanaryOptions | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const conditions = parts.filter((part) => part.includes(':'));
  const steps = parts.filter((part) => !part.includes(':'));
  if (steps.length === 0 && conditions.length === 0) return undefined;
  return readCanary({ steps, always: conditions });
}

/** Each share larger than the one before: whoever was answered by the canary is answered by it until its end. */
function readSteps(given: unknown): readonly number[] | undefined {
  const steps = (typeof given === 'string' ? given.split(',') : [given].flat()).map((one) => readShareText(one));
  const usable = steps.every((share, at) => share !== undefined && share > (at === 0 ? 0 : (steps[at - 1] ?? 1)));
  return usable ? (steps as number[]) : undefined;
}

/** A share, in percent where it is a text: nobody means 500 % by 5. */
export function readShareText(given: unknown): number | undefined {
  if (typeof given === 'string' && !given.trim().endsWith('%')) return undefined;
  return readShare(typeof given === 'string' ? given.trim() : given);
}

/** Reads `random`, `connection`, `ip`, `ip:HEADER`, `cookie:NAME`, `header:NAME` or `query:NAME`. */
export function readBy(given: unknown): By | undefined {
  if (given === 'random' || given === 'connection') return { kind: given };
  if (given === 'ip') return { kind: 'ip', header: null };
  const [, kind, name = ''] = /^(ip|cookie|header|query):([^\s,;=:"]{1,100})$/.exec(String(given)) ?? [];
  if (kind === 'ip') return { kind, header: name.toLowerCase() };
  if (kind === 'header') return { kind, name: name.toLowerCase() };
  return kind === 'cookie' || kind === 'query' ? { kind, name } : undefined;
}

function readConditions(given: unknown): readonly Condition[] | undefined {
  const list = (Array.isArray(given) ? given : String(given).split(',')).map(readCondition);
  return list.every((one) => one !== undefined) ? (list as Condition[]) : undefined;
}

function readCondition(given: unknown): Condition | undefined {
  if (typeof given !== 'string') return undefined;
  const [, kind, name = '', value = null] =
    /^(cookie|header|query):([^\s,;=:"]{1,100})(?:=([^\s,;"]{1,200}))?$/.exec(given.trim()) ?? [];
  if (kind === 'header') return { kind, name: name.toLowerCase(), value };
  return kind === 'cookie' || kind === 'query' ? { kind, name, value } : undefined;
}

export const CANARY_WANTS =
  'shares such as "5%" or "1%,10%,50%", each larger than the one before, or conditions such as "header:x-beta=1,cookie:team=ours", or in code { steps, hold, by, always, never, minRequests }';

export const BY_WANTS = '"random", "connection", "ip", "ip:HEADER", "cookie:NAME", "header:NAME" or "query:NAME"';

/** Makes a plan of the options and of what one reload says. @param isSecure whether the service speaks TLS or HTTP/2 */
export function planOf(options: CanaryOptions, isSecure: boolean, split: { name: string | null } | null): CanaryPlan {
  const { steps, holdMs, by, always, never, minRequests } = options;
  const goesOn = steps.length > 1 || holdMs !== null;
  return {
    steps: steps.length === 0 ? [0] : steps,
    holdMs: split === null && goesOn ? (holdMs ?? HOLD_MS) : null,
    by: by ?? { kind: isSecure ? 'connection' : 'random' },
    ...{ always, never, minRequests },
    isJudged: split === null,
    name: split?.name ?? null
  };
}
