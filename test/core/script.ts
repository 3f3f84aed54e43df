import { rolesOf } from '../../src/core/generations.ts';
import type {
  Answer,
  Deadline,
  Effect,
  Generation,
  Limits,
  News,
  Release,
  State,
  Worker
} from '../../src/core/model.ts';

/** The language of the transcripts: states, news and effects as one line of text each. */

export interface Setting {
  readonly limits: Limits;
  readonly workers: number;
}

export const usual: Setting = {
  limits: { readyMs: 30_000, drainMs: 30_000, keepWarmMs: 600_000, budgetMs: 2_000, checkMs: null },
  workers: 1
};

export const START_AT = 1_000_000;

export function release(entry: string): Release {
  return { entry, file: entry.replace(/^\.\//, '/app/'), cwd: '/app' };
}

/** Reads a `with` line, such as `with workers=2 keepWarmMs=0`. */
export function readSetting(line: string): Setting {
  const given = Object.fromEntries(
    line
      .split(/\s+/)
      .slice(1)
      .map((word) => word.split('='))
  );
  const { workers = 1, ...limits } = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, Number(value)])
  );
  return { workers, limits: { ...usual.limits, ...limits } };
}

/** Reads the state in which a transcript begins: `stopped`, or `steady active=6 standby=5`. */
export function readState(line: string, { limits, workers }: Setting): State {
  const [phase, ...words] = line.split(/\s+/);
  const ids = new Map(words.map((word) => word.split('=') as [string, string]));
  const make = (role: string): Generation | null =>
    ids.has(role) ? makeGeneration(Number(ids.get(role)), role, workers) : null;
  const active = make('active');
  const standby = make('standby');
  const lastGeneration = Math.max(0, active?.id ?? 0, standby?.id ?? 0);
  const common = { limits, lastGeneration, retiring: [], history: [] };
  if (phase === 'stopped') return { ...common, phase };
  if (phase === 'steady' && active) return { ...common, phase, active, standby, settling: null };
  throw new Error(`a transcript begins stopped or steady, not "${line}"`);
}

function makeGeneration(id: number, role: string, size: number): Generation {
  const isActive = role === 'active';
  const workers = Array.from({ length: size }, (_, index): Worker => {
    const kind = { phase: isActive ? 'accepting' : 'paused', duty: isActive ? 'on' : 'off' } as const;
    return { id: `${id}.${index + 1}`, generation: id, ...kind, handed: !isActive, drained: false, covers: false };
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
    restarts: []
  };
}

const WORKER_NEWS = ['down', 'ready', 'accepting', 'paused', 'handed', 'inactive', 'drained'] as const;

/** Reads news, such as `reload ./v7.js`, `ready 7.1` or `ready-overdue 7`. */
export function readNews(line: string, at: number, request: number, size: number): News {
  const [name = '', subject = '', ...rest] = line.split(/\s+/);
  const why = rest.join(' ');
  if (name === 'boot') return { type: 'boot-asked', request, release: release(subject), size, at };
  if (name === 'reload') return { type: 'reload-asked', request, release: release(subject), size, at };
  if (name === 'rollback') return { type: 'rollback-asked', request, at };
  if (name === 'stop') return { type: 'stop-asked', request, why: 'SIGTERM', at };
  if (name === 'hurry') return { type: 'hurry-asked', at };
  if (name === 'exited') return { type: 'worker-exited', worker: subject, why: why || 'exited with code 1', at };
  if (name === 'refused') {
    const code = 'HANDOVER_ERR_LISTEN_IN_USE';
    return { type: 'worker-refused', worker: subject, code, why: why || 'another program holds this address', at };
  }
  if (name === 'worker-overdue' || name === 'kill-overdue') return { type: name, worker: subject, at };
  const known = WORKER_NEWS.find((one) => one === name);
  if (known) return { type: `worker-${known}`, worker: subject, at };
  if (name === 'proven') return { type: name, about: Number(subject), at };
  if (name === 'check-failed') {
    return {
      type: name,
      about: Number(subject),
      check: 'GET /health',
      why: why || 'worker 7.1 answered status 500',
      at
    };
  }
  if (name === 'ready-overdue') return { type: name, about: Number(subject), why: 'its worker never listened', at };
  return {
    type: name as Exclude<Deadline, 'ready-overdue' | 'worker-overdue' | 'kill-overdue'>,
    about: Number(subject),
    at
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
  const settling = state.phase === 'steady' && state.settling ? ['(handing over)'] : [];
  return [state.phase, ...roles, ...settling].join(' ');
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
      return `${effect.do} ${effect.worker}${effect.heirs ? '' : ' without heirs'}`;
    case 'set-deadline':
      return `set-deadline ${effect.deadline} ${effect.about} in ${effect.afterMs} ms`;
    case 'clear-deadline':
      return `clear-deadline ${effect.deadline} ${effect.about}`;
    case 'answer':
      return `answer ${effect.request} ${showAnswer(effect.answer)}`;
    case 'announce': {
      const { level, event, generation, worker, reason } = effect.notice;
      const about = worker ?? generation;
      return `announce ${level} ${event}${about === undefined ? '' : ` ${about}`}${reason === undefined ? '' : `: ${reason}`}`;
    }
    case 'close-listeners':
      return 'close-listeners';
    case 'prove':
      return `prove ${effect.generation}`;
    default:
      return `${effect.do} ${effect.worker}`;
  }
}

function showAnswer(answer: Answer): string {
  if (!answer.ok) return `${answer.code}: ${answer.account.what}, ${answer.account.why}. ${answer.account.fix}`;
  if ('settled' in answer) {
    const { kind, from, to, bootMs, cutoverMs, tookMs } = answer.settled;
    return `done: ${kind} from ${from} to ${to} (boot ${bootMs} ms, cutover ${cutoverMs} ms, took ${tookMs} ms)`;
  }
  return 'started' in answer ? `done: started ${answer.started}` : 'done: stopped';
}
