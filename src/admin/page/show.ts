import type { Readiness } from '../../core/admission.ts';
import type { EventLine, OutputLine } from '../../core/log-line.ts';
import type { GenerationStatus, HistoryEntryStatus, Status, WorkerStatus } from '../../core/status.ts';
import { find, make, row, say, showBytes, showMs, showShare, showTime } from './elements.ts';

export type Shown = Omit<Status, 'history'> & {
  readonly readiness: Readiness;
  /** Delay of each worker's event loop, in milliseconds. */
  readonly loops: Readonly<Record<string, number>>;
};

/** A generation of the history, as the page is told it. */
export type HistoryEntry = Omit<HistoryEntryStatus, 'verdict'> & {
  readonly verdict: { readonly decision: string; readonly reason: string } | null;
};

/** The events of which a handover is made, in the order in which they come. */
const PHASES = [
  'starting',
  'ready',
  'proven',
  'withdrawing',
  'quieting',
  'quiet',
  'migrating',
  'migrated',
  'canary',
  'cutover',
  'paused',
  'baking',
  'verdict',
  'failed'
];
const LOG_LINES = 500;
const LEVELS: Readonly<Record<string, string>> = { warn: 'warn', error: 'bad' };

export function showStatus(status: Shown): void {
  const { active, phase, readiness, supervisor } = status;
  const what = active
    ? `generation ${active.generation}${active.label ? ` (${active.label})` : ''} serves`
    : 'nothing serves yet';
  const reason = readiness.ready ? '' : `; not ready: ${readiness.reason}`;
  say(find('summary'), `${phase}: ${what}${reason}`, readiness.ready ? 'good' : 'bad');
  say(
    find('link'),
    `handover ${supervisor.version}, Node ${supervisor.node}, pid ${supervisor.pid}, up ${showMs(supervisor.uptimeMs)}`,
    'muted'
  );
  const roles = rolesOf(status);
  find('generations').replaceChildren(...roles.map(([role, generation]) => showGeneration(role, generation, status)));
  find('workers').replaceChildren(
    ...roles.flatMap(([role, { workers }]) =>
      workers.map((worker) => showWorker(role, worker, status.loops[worker.id]))
    )
  );
}

function rolesOf({ active, candidate, standby, retiring }: Shown): [role: string, generation: GenerationStatus][] {
  const named: readonly (readonly [string, GenerationStatus | null])[] = [
    ['active', active],
    ['candidate', candidate],
    ['standby', standby],
    ...retiring.map((one) => ['retiring', one] as const)
  ];
  return named.flatMap(([role, generation]) => (generation ? [[role, generation]] : []));
}

function showGeneration(
  role: string,
  { generation, label, entry, strategy, startedAt, workers, rejected }: GenerationStatus,
  { bake, canary, standbyNote, activeNote, candidateNote }: Shown
): HTMLElement {
  const isCanary = canary?.generation === generation;
  const accepting = workers.filter(({ state }) => state === 'accepting').length;
  const notes: Readonly<Record<string, string | null>> = {
    active: activeNote,
    standby: standbyNote,
    candidate: candidateNote
  };
  const lines = [
    `${workers.length} workers, ${accepting} accepting; ${strategy}`,
    `since ${showTime(startedAt)}`,
    entry,
    rejected === null ? '' : `rejected: ${rejected}`,
    notes[role] ?? '',
    bake?.generation === generation ? `being watched for another ${showMs(bake.leftMs)}` : '',
    isCanary
      ? `answers ${showShare(canary.share)} by ${canary.by}, step ${canary.step} of ${canary.steps.length}; ${canary.next}`
      : ''
  ].filter((line) => line !== '');
  const card = make(
    'div',
    [
      make('h3', `${isCanary ? 'canary' : role}: ${generation}${label ? ` (${label})` : ''}`),
      ...lines.map((line) => make('p', line))
    ],
    `card ${role}`
  );
  if (isCanary) {
    const bar = make('progress') as HTMLProgressElement;
    bar.max = 1;
    bar.value = canary.share;
    bar.setAttribute('aria-label', 'share of the canary');
    card.append(bar);
  }
  return card;
}

function showWorker(
  role: string,
  { id, state, rssBytes, cpuShare, silentMs, inFlight, kinds, connections }: WorkerStatus,
  loopMs: number | undefined
): HTMLElement {
  const open = Object.entries(kinds ?? {}).map(([kind, count]) => `${count} ${kind}`);
  return row([
    ...[id, role, state, showBytes(rssBytes), showShare(cpuShare)],
    ...[silentMs === null ? showMs(loopMs ?? null) : `silent for ${showMs(silentMs)}`, String(inFlight ?? '?')],
    open.length > 0 ? open.join(', ') : String(connections ?? '?')
  ]);
}

export function showHistory(history: readonly HistoryEntry[]): void {
  const rows = [...history]
    .reverse()
    .map((one) =>
      row(
        [
          `${one.generation}${one.label ? ` (${one.label})` : ''}`,
          ...[showOrder(one), one.outcome, showTime(one.startedAt), showMs(one.durationMs), String(one.requests ?? '')],
          [one.verdict ? `${one.verdict.decision}: ${one.verdict.reason}` : '', one.reason ?? '']
            .filter((text) => text !== '')
            .join('; ')
        ],
        [6]
      )
    );
  find('history').replaceChildren(...rows);
}

function showOrder({ kind, operator }: HistoryEntry): string {
  return operator ? `${kind}: ${[operator.user, operator.command].filter((part) => part !== null).join(', ')}` : kind;
}

/** Shows the events of the last handover as they come. */
export function showPhases(events: readonly EventLine[]): void {
  const began = events.findLastIndex(({ event }) => event === 'starting');
  const cutover = events.findLastIndex(({ event }) => event === 'cutover');
  // A rollback starts nothing: it begins with its cutover.
  const first = began < 0 || (cutover > began && events[cutover]?.kind === 'rollback') ? cutover : began;
  const found = first < 0 ? [] : events.slice(first).filter(({ event }) => PHASES.includes(event));
  const items = found.map(({ event, level, time, generation, decision }) => {
    const which = event === 'verdict' ? `: ${String(decision)}` : ` (${String(generation ?? '')})`;
    return make('li', `${new Date(time).toLocaleTimeString()} ${event}${which}`, LEVELS[level] ?? '');
  });
  find('phases').replaceChildren(...(items.length > 0 ? items : [make('li', 'none yet')]));
}

export function addLog(lines: readonly (EventLine | OutputLine)[]): void {
  const log = find('log');
  // Whoever has scrolled up reads: the log stays where it is.
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(...lines.map(showLine));
  while (log.childElementCount > LOG_LINES) log.firstElementChild?.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function showLine(line: EventLine | OutputLine): HTMLElement {
  if ('stream' in line) {
    const { worker, stream, line: text } = line as OutputLine;
    return make('div', `${showClock(line)}  ${worker}  ${text}`, stream === 'stderr' ? 'warn' : 'muted');
  }
  const { time: _, level, event, ...details } = line as EventLine;
  const more = Object.entries(details)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  return make('div', [showClock(line), event, ...more].join('  '), LEVELS[level] ?? '');
}

function showClock({ time }: { readonly time: string }): string {
  return new Date(time).toLocaleTimeString();
}
