import type { CanaryPlan } from '../../src/core/routing/plan.ts';
import { rolesOf } from '../../src/core/state/generations.ts';
import type {
  Effect,
  Generation,
  Limits,
  News,
  Release,
  Reply,
  State,
  StrategyName,
  Worker
} from '../../src/core/state/state.ts';
import { type Measured, NOTHING_MEASURED } from '../../src/core/verdict/measured.ts';
import { DEFAULT_LIMITS } from '../../src/core/verdict/signals.ts';

/** The language of the transcripts: states, news and effects as one line of text each. */

export interface Setting {
  readonly limits: Limits;
  readonly workers: number;
  readonly strategy: StrategyName;
  /** Whether workers do not answer on every address at once after each cutover. */
  readonly unreached: boolean;
}

export const usual: Setting = {
  limits: {
    ...{ readyMs: 30_000, drainMs: 30_000, keepWarmMs: 600_000, budgetMs: 2_000, checkMs: null },
    ...{ drainBeforeMs: 0, migrateMs: null },
    ...{ bakeMs: 0, bakeAtMostMs: 0, bakeRequests: 0, bake: DEFAULT_LIMITS, rollsBack: true },
    ...{ restarts: { max: 5, windowMs: 60_000 } },
    ...{ maxSurge: 1, maxUnavailable: 0 }
  },
  workers: 1,
  strategy: 'blue-green',
  unreached: false
};

const STRATEGIES = ['blue-green', 'rolling', 'in-place', 'exclusive'] as const;

export const START_AT = 1_000_000;

export function release(entry: string): Release {
  return {
    entry,
    file: entry.replace(/^\.\//, '/app/'),
    cwd: '/app',
    folder: '/app',
    args: [],
    env: {},
    envFile: null,
    node: null,
    nodeOptions: [],
    label: null,
    asked: {}
  };
}

/** Reads a `with` line, such as `with workers=2 keepWarmMs=0 strategy=rolling surge=1 rollback=manual`. */
export function readSetting(line: string): Setting {
  const given: Record<string, string> = Object.fromEntries(
    line
      .split(/\s+/)
      .slice(1)
      .map((word) => word.split('='))
  );
  const {
    strategy = 'blue-green',
    rollback = 'auto',
    reached = 'yes',
    surge = '1',
    unavailable = '0',
    ...numbers
  } = given;
  const { workers = 1, ...others } = Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, Number(value)])
  );
  const counts = { maxSurge: Number(surge), maxUnavailable: Number(unavailable) };
  const limits = { ...usual.limits, ...counts, rollsBack: rollback === 'auto', ...others };
  return { workers, strategy: strategy as StrategyName, limits, unreached: reached === 'no' };
}

/** Reads the state in which a transcript begins: `stopped`, or `steady active=6 standby=5`. */
export function readState(line: string, { limits, workers, strategy }: Setting): State {
  const [phase, ...words] = line.split(/\s+/);
  const ids = new Map(words.map((word) => word.split('=') as [string, string]));
  const make = (role: string): Generation | null =>
    ids.has(role) ? makeGeneration(Number(ids.get(role)), role, workers, strategy) : null;
  const active = make('active');
  const standby = make('standby');
  const lastGeneration = Math.max(0, active?.id ?? 0, standby?.id ?? 0);
  const common = { limits, lastGeneration, retiring: [], history: [], drained: null, plannedStop: null };
  if (phase === 'stopped') return { ...common, phase };
  if (phase === 'steady' && active)
    return { ...common, phase, active, standby, completing: null, bake: null, scaling: null };
  throw new Error(`a transcript begins stopped or steady, not "${line}"`);
}

function makeGeneration(id: number, role: string, size: number, strategy: StrategyName): Generation {
  const isActive = role === 'active';
  const workers = Array.from({ length: size }, (_, index): Worker => {
    const kind = { phase: isActive ? 'accepting' : 'paused', whileActive: isActive ? 'on' : 'off' } as const;
    const not = { drained: false, covers: false, quiet: false, proven: false, isLeaving: false, isAdded: false };
    const none = { told: null, successor: null, fault: null };
    return { id: `${id}.${index + 1}`, generation: id, ...kind, handed: !isActive, ...not, ...none };
  });
  const at = START_AT - 1_000;
  return {
    id,
    release: release(`./v${id}.js`),
    size,
    workers,
    lastWorker: size,
    startedAt: at,
    readyAt: at,
    restarts: [],
    strategy,
    rejected: null,
    isShared: false
  };
}

const WORKER_NEWS = [
  'down',
  'ready',
  'proven',
  'accepting',
  'paused',
  'quiet',
  'handed',
  'inactive',
  'drained'
] as const;

const ASKED = ['promote', 'abort', 'retire'] as const;
const OF_WORKERS = ['worker-overdue', 'leave-overdue', 'kill-overdue'] as const;

/** Reads news, such as `reload ./v7.js`, `ready 7.1` or `ready-overdue 7`. */
export function readNews(
  line: string,
  at: number,
  request: number,
  setting: Pick<Setting, 'workers' | 'strategy'>
): News {
  const [name = '', subject = '', ...rest] = line.split(/\s+/);
  const { workers: size, strategy } = setting;
  const why = rest.join(' ');
  const about = Number(subject);
  const asked = ASKED.find((one) => one === name);
  if (asked) return { type: `${asked}-asked`, request, at };
  const late = OF_WORKERS.find((one) => one === name);
  if (late) return { type: late, worker: subject, at };
  switch (name) {
    case 'boot':
      return { type: 'boot-asked', request, release: release(subject), size, strategy, at };
    case 'reload': {
      // Words after the entry: another strategy, `supersede`, `wait`.
      const other = STRATEGIES.find((one) => rest.includes(one));
      const shares = rest.find((word) => word.startsWith('canary=') || word.startsWith('split='));
      const canary = shares ? planOf(shares, rest) : null;
      const flags = { canary, supersedes: rest.includes('supersede'), waits: rest.includes('wait') };
      const how = { kind: 'reload', strategy: other ?? strategy, ...flags } as const;
      return { type: 'reload-asked', request, release: release(subject), size, ...how, at };
    }
    case 'rollback':
      return { type: 'rollback-asked', request, to: subject === '' ? null : about, at };
    case 'share':
      return { type: 'share-asked', request, share: Number(subject), at };
    case 'scale':
      return { type: 'scale-asked', request, size: about, at };
    case 'stop':
      return { type: 'stop-asked', request, why: 'SIGTERM', at };
    // Words after it: for how many milliseconds, and `close-idle`.
    case 'drain':
      return {
        type: 'drain-asked',
        request,
        forMs: Number(rest.concat(subject).find((word) => /^\d+$/.test(word)) ?? 0) || null,
        closesIdle: line.includes('close-idle'),
        by: null,
        at
      };
    case 'undrain':
      return { type: 'undrain-asked', request, at };
    case 'hurry':
      return { type: 'hurry-asked', at };
    case 'memory-low':
      return { type: 'memory-low', share: 0.04, at };
    case 'exited':
      return { type: 'worker-exited', worker: subject, why: why || 'exited with code 1', at };
    case 'hung':
      return { type: 'worker-hung', worker: subject, silentMs: 15_000, at };
    case 'heavy':
      return { type: 'worker-heavy', worker: subject, rssBytes: 600 * 2 ** 20, limitBytes: 512 * 2 ** 20, at };
    case 'refused': {
      const code = 'HANDOVER_ERR_LISTEN_IN_USE';
      return { type: 'worker-refused', worker: subject, code, why: why || 'another program holds this address', at };
    }
    case 'check-failed':
      return { type: name, about, check: 'GET /health', why: why || 'worker 7.1 answered status 500', at };
    case 'reached':
      return { type: name, about, closed: rest, at };
    case 'unreached':
      return { type: name, about, why: why || 'no worker accepts on 127.0.0.1:80', at };
    case 'migrate-failed':
      return { type: name, about, why: why || 'it exited with code 1', at };
    case 'ready-overdue':
      return { type: name, about, why: 'its worker never listened', at };
    case 'sampled':
      return { type: name, about, at, before: measured(['requests=1000']), after: measured(rest) };
    case 'proven':
      // Of a generation, or of one worker where a strategy asks worker by worker.
      return subject.includes('.') ? { type: 'worker-proven', worker: subject, at } : { type: name, about, at };
  }
  const known = WORKER_NEWS.find((one) => one === name);
  if (known) return { type: `worker-${known}`, worker: subject, at };
  return { type: name as 'migrated', about, at };
}

/** Reads `canary=5%,50%` with `hold=60000`, or `split=50%`: how both are to answer. */
export function planOf(shares: string, words: readonly string[]): CanaryPlan {
  const [kind, steps = ''] = shares.split('=');
  const hold = words.find((word) => word.startsWith('hold='))?.slice(5);
  return {
    steps: steps.split(',').map((share) => Number.parseFloat(share) / 100),
    holdMs: hold === undefined ? null : Number(hold),
    by: { kind: 'random' },
    ...{ always: [], never: [], minRequests: 50, isJudged: kind === 'canary', name: null }
  };
}

/** What a generation did, from words such as `requests=100 failed=50`. */
function measured(words: readonly string[]): Measured {
  const given = Object.fromEntries(words.map((word) => word.split('='))) as Record<string, string>;
  const count = (name: string) => Number(given[name] ?? 0);
  return {
    ...NOTHING_MEASURED,
    ...{ spanMs: 10_000, requests: count('requests'), failed: count('failed'), cut: count('cut') },
    ...{ exits: count('exits'), hangs: count('hangs') }
  };
}

const USUAL_PHASE: Record<string, readonly string[]> = {
  active: ['accepting'],
  standby: ['paused'],
  candidate: ['starting'],
  next: ['ready', 'paused'],
  leaving: ['accepting'],
  retiring: ['draining']
};

/** Shows a state; the workers are named where they are not all what one expects of the role. */
export function showState(state: State): string {
  const roles = rolesOf(state).map(
    ({ role, generation }) => `${role}=${showGeneration(generation, USUAL_PHASE[role] ?? [])}`
  );
  return [state.phase, ...roles, ...showPending(state)].join(' ');
}

function showPending(state: State): string[] {
  return [
    ...showOwn(state),
    ...(state.drained ? ['(drained)'] : []),
    ...(state.plannedStop ? ['(about to stop)'] : [])
  ];
}

function showOwn(state: State): string[] {
  if (state.phase === 'canary') {
    const { canary, next } = state;
    return [
      `(share ${canary.share})`,
      ...(canary.isLate ? ['(late)'] : []),
      ...(next.rejected ? [`(${next.id} rejected)`] : [])
    ];
  }
  if (state.phase !== 'steady') return [];
  const { completing, bake, scaling, active, standby } = state;
  const rejected = [active, standby].find((generation) => generation?.rejected);
  return [
    ...(completing ? ['(handing over)'] : []),
    ...(bake ? ['(baking)'] : []),
    ...(scaling ? [`(scaling to ${scaling.to})`] : []),
    ...(rejected ? [`(${rejected.id} rejected)`] : [])
  ];
}

function showGeneration({ id, workers, size }: Generation, usualPhases: readonly string[]): string {
  if (workers.length === size && workers.every(({ phase }) => usualPhases.includes(phase))) return String(id);
  return `${id}(${workers.map((worker) => `${worker.id} ${worker.phase}`).join(', ') || 'no worker'})`;
}

export function showEffect(effect: Effect): string {
  switch (effect.do) {
    case 'fork':
      return `fork ${effect.worker} ${effect.release.entry}`;
    case 'pause':
    case 'drain':
      return `${effect.do} ${effect.worker}${effect.receivers ? '' : ' without receivers'}`;
    case 'hold':
      return `hold ${effect.worker}${effect.yields ? ' for the next one' : ''}`;
    case 'set-deadline':
      return `set-deadline ${effect.deadline} ${effect.about} in ${effect.afterMs} ms`;
    case 'clear-deadline':
      return `clear-deadline ${effect.deadline} ${effect.about}`;
    case 'reply':
      return `reply ${effect.request} ${showReply(effect.reply)}`;
    case 'announce': {
      const { level, event, generation, worker, reason } = effect.notice;
      const about = worker ?? generation;
      return `announce ${level} ${event}${about === undefined ? '' : ` ${about}`}${reason === undefined ? '' : `: ${reason}`}`;
    }
    case 'close-listeners':
      return 'close-listeners';
    case 'check':
      return `check ${effect.worker ?? effect.generation}`;
    case 'verify':
      return `verify ${effect.generation}`;
    case 'run-before-cutover':
      return `run-before-cutover from ${effect.from} to ${effect.generation}`;
    case 'cancel-before-cutover':
      return effect.do;
    default:
      return `${effect.do} ${effect.worker}`;
  }
}

function showReply(reply: Reply): string {
  if (!reply.ok) return `${reply.code}: ${reply.account.what}, ${reply.account.why}. ${reply.account.fix}`;
  if ('completed' in reply) {
    const { kind, from, to, bootMs, cutoverMs, tookMs, gapMs } = reply.completed;
    const gap = gapMs === null ? '' : `, gap ${gapMs} ms`;
    const kept = reply.kept === null ? '' : `; ${reply.kept.decision}: ${reply.kept.reason}`;
    return `done: ${kind} from ${from} to ${to} (boot ${bootMs} ms, cutover ${cutoverMs} ms, took ${tookMs} ms${gap})${kept}`;
  }
  if ('shared' in reply) return `done: ${reply.next} answers ${reply.shared.share} beside ${reply.active}`;
  if ('promoted' in reply) return `done: promoted ${reply.promoted}`;
  if ('abandoned' in reply) return `done: abandoned ${reply.abandoned}, ${reply.reason}`;
  if ('retired' in reply) return `done: retired ${reply.retired}`;
  if ('drained' in reply) return `done: ${reply.drained ? 'drained' : 'not drained'}`;
  if ('scaled' in reply) return `done: scaled from ${reply.scaled.from} to ${reply.scaled.to}`;
  return 'started' in reply ? `done: started ${reply.started}` : 'done: stopped';
}
