import type { HistoryEntry, Release } from '../core/state/state.ts';
import { STRATEGIES } from '../options/strategies.ts';

/** What a supervisor leaves to the next one. */
export interface FileState {
  /** Numbers go on from here: none is given twice. */
  readonly lastGeneration: number;
  readonly history: readonly HistoryEntry[];
}

/** The same as it was read, with the time at which it was written: milliseconds since the epoch. */
export interface SavedFileState extends FileState {
  readonly savedAt: number;
}

const FORMAT = 'handover-state';
const VERSION = 1;

export function formatState({ lastGeneration, history }: FileState, at: number): string {
  // How it was to run is of this supervisor only: a check may be a function.
  const kept = history.map((entry) => ({ ...entry, release: { ...entry.release, settings: undefined } }));
  return `${JSON.stringify({ format: FORMAT, version: VERSION, savedAt: at, lastGeneration, history: kept })}\n`;
}

/**
 * Reads what an earlier supervisor left. Every field is checked.
 *
 * @throws Error whose message says what is wrong with the text
 */
export function parseState(text: string): SavedFileState {
  const given: unknown = JSON.parse(text);
  if (!fits(given, { format: (value) => value === FORMAT })) throw new Error('it is not a state file of handover');
  if (!fits(given, { version: (value) => value === VERSION }))
    throw new Error(`it is of another version than ${VERSION}`);
  const unfit = findUnfit(given, FILE_STATE);
  if (unfit !== null) throw new Error(`"${unfit}" is not what it should be`);
  return given as unknown as SavedFileState;
}

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const isTime: Check = (value) => typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= 8.64e15;
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isNumber: Check = (value) => isCount(value) && value !== 0;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isLeftOut =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isOneOf =
  (...choices: readonly string[]): Check =>
  (value) =>
    choices.includes(value as string);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isMapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const isShaped =
  (shape: Shape): Check =>
  (value) =>
    fits(value, shape);

const RELEASE = {
  entry: isText,
  file: isText,
  cwd: isText,
  folder: isText,
  args: isListOf(isText),
  env: isMapOf(isText),
  envFile: orNull(isText),
  node: orNull(isText),
  nodeOptions: isListOf(isText),
  label: orNull(isText),
  asked: isShaped({
    entry: isLeftOut(isText),
    cwd: isLeftOut(isText),
    env: isLeftOut(isMapOf(isText)),
    envFile: isLeftOut(isText),
    node: isLeftOut(isText),
    nodeOptions: isLeftOut(isListOf(isText)),
    args: isLeftOut(isListOf(isText))
  } satisfies { readonly [F in keyof Release['asked']]-?: Check })
} satisfies { readonly [F in Exclude<keyof Release, 'settings'>]: Check };

/** The figures are only shown. */
const VERDICT = { decision: isOneOf('keep', 'keep unseen', 'roll back'), reason: isText };

const OPERATOR = { uid: orNull(isCount), user: orNull(isText), sudoUser: isLeftOut(isText), command: isText };

const HISTORY_ENTRY = {
  generation: isNumber,
  release: isShaped(RELEASE),
  kind: isOneOf('run', 'reload', 'rollback'),
  strategy: isOneOf(...STRATEGIES),
  startedAt: isTime,
  activeAt: orNull(isTime),
  activeMs: isTime,
  endedAt: orNull(isTime),
  requests: orNull(isCount),
  failed: orNull(isCount),
  outcome: isOneOf('candidate', 'active', 'standby', 'retired', 'failed', 'rejected'),
  reason: orNull(isText),
  standby: orNull(isNumber),
  // Left out by versions that did not keep it.
  verdict: isLeftOut(orNull(isShaped(VERDICT))),
  operator: isLeftOut(orNull(isShaped(OPERATOR)))
} satisfies { readonly [F in keyof HistoryEntry]-?: Check };

const FILE_STATE = {
  savedAt: isTime,
  lastGeneration: isCount,
  history: isListOf(isShaped(HISTORY_ENTRY))
};

function findUnfit(value: object, shape: Shape): string | null {
  const fields = value as Record<string, unknown>;
  return Object.entries(shape).find(([name, check]) => !check(fields[name]))?.[0] ?? null;
}

function fits(value: unknown, shape: Shape): value is object {
  return isObject(value) && findUnfit(value, shape) === null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
