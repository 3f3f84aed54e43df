import type {
  BakeStatus,
  CanaryStatus,
  DrainedStatus,
  Figures,
  FleetStatus,
  GenerationStatus,
  Status,
  WorkerStatus
} from '../core/status.ts';
import { columns } from './columns.ts';
import { showKinds, showLeft } from './connections.ts';
import type { Io } from './io.ts';
import { count, firstLine, showBytes, showMs, showShare } from './print.ts';

type Paint = Io['paint'];

/** How many lines of the history are shown; `--json` has all that are kept. */
const HISTORY_SHOWN = 5;

const HEAD = ['id', 'pid', 'state', 'connections', 'in flight', 'requests', 'memory', 'cpu'];

/** Shows a status to a person. What could not be measured is `-`, with the reason below. */
export function showStatus(status: Status, paint: Paint): string {
  const { app, supervisor, listeners, phase, active, activeNote, standby, standbyNote } = status;
  const { candidate, candidateNote, configNote, lastHandover, retiring, bake, canary, history, drained } = status;
  const left = lastHandover ? showLeft(lastHandover.connections) : '';
  const stays = lastHandover ? showKinds([{ kinds: lastHandover.remaining }]) : '';
  const until = lastHandover?.until ? ` until ${showMoment(lastHandover.until)} at the latest` : '';
  const handedOver = [left, ...(stays ? [`still there: ${stays}${until}`] : [])]
    .filter((part) => part !== '')
    .join('; ');
  const { pid, user: runsAs, version, node, uptimeMs } = supervisor;
  const addresses = listeners.map(({ address }) => address).join(', ');
  const blocks = [
    columns(
      [
        ['app', paint('bold', app)],
        ['supervisor', `pid ${pid}, as ${runsAs}, handover ${version}, node ${node}, up ${showMs(uptimeMs)}`],
        ['listeners', addresses || '-'],
        ['phase', phase],
        ...(drained ? [['drained', paint('yellow', showDrained(drained))]] : []),
        ...(status.fleet ? [['fleet', showFleet(status.fleet)]] : []),
        ...(configNote === null ? [] : [['config', paint('yellow', configNote)]]),
        ...(lastHandover && handedOver ? [['handed over', `from generation ${lastHandover.from}: ${handedOver}`]] : []),
        ...(bake ? showBake(bake) : []),
        ...(canary ? showCanary(canary) : [])
      ],
      []
    ),
    active ? showGeneration('active', active, paint) : ['active: none'],
    activeNote === null ? [] : [paint('yellow', activeNote)],
    standby
      ? [
          ...showGeneration('standby', standby, paint),
          ...(standbyNote === null ? [] : [`  ${paint('yellow', standbyNote)}`])
        ]
      : [`standby: none${standbyNote === null ? '' : `, ${standbyNote}`}`],
    candidate
      ? [
          ...showGeneration('candidate', candidate, paint),
          ...(candidateNote === null ? [] : [`  ${paint('yellow', candidateNote)}`])
        ]
      : [],
    ...retiring.map((generation) => showGeneration('retiring', generation, paint, generation.why)),
    showHistory(history)
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** A status in one line, for a log of changes. */
export function showChange({
  app,
  phase,
  drained,
  active,
  standby,
  candidate,
  retiring,
  bake,
  canary
}: Status): string {
  const parts = [
    active ? `active ${active.generation} (${showLoad(active)})` : 'active -',
    `standby ${standby?.generation ?? '-'}`,
    `candidate ${candidate?.generation ?? '-'}`,
    ...(drained ? ['drained'] : []),
    ...(bake ? [`baking ${bake.generation}`] : []),
    ...(canary ? [`${canary.judged ? 'canary' : 'split'} ${canary.generation} ${showShares(canary)}`] : []),
    ...retiring.map(({ generation }) => `retiring ${generation}`)
  ];
  return `${app}  ${phase}  ${parts.join('  ')}`;
}

function showDrained({ reason, closeIdle }: DrainedStatus): string {
  return `${reason}${closeIdle ? '; answers say Connection: close' : ''}`;
}

function showGeneration(role: string, generation: GenerationStatus, paint: Paint, why?: string): string[] {
  const { generation: id, label, entry, user, group, strategy, rejected, startedAt, workers } = generation;
  const name = `${paint('bold', `${role}: generation ${id}`)}${label === null ? '' : ` (${label})`}`;
  const as = user ?? (group === null ? null : '');
  const rights = as === null ? [] : [`as ${as}${group === null ? '' : `:${group}`}`];
  const facts = [name, entry, ...rights, strategy, `started ${showTime(startedAt)}`];
  const title = [...facts, ...(why ? [why] : [])].join(', ');
  const lines = rejected === null ? [title] : [title, `  ${paint('red', 'rejected')}: ${firstLine(rejected)}`];
  if (workers.length === 0) return [...lines, '  no worker runs'];
  const head = HEAD.map((cell) => paint('dim', cell));
  const kinds = showKinds(workers);
  const rows = columns([head, ...workers.map(row)], [1, 3, 4, 5, 6, 7]).map((line) => `  ${line}`);
  return [...lines, ...rows, ...(kinds ? [`  ${kinds}`] : []), ...workers.flatMap(showNotes)];
}

function row({ id, pid, state, connections, inFlight, requests, rssBytes, cpuShare }: WorkerStatus): string[] {
  const memory = rssBytes === null ? '-' : showBytes(rssBytes);
  const cpu = cpuShare === null ? '-' : `${Math.round(cpuShare * 100)} %`;
  return [id, number(pid), state, number(connections), number(inFlight), number(requests), memory, cpu];
}

/** Why something is not known of a worker, and what keeps one that drains. */
function showNotes({
  id,
  state,
  connections,
  kinds,
  silentMs,
  holding = [],
  unmeasured,
  clients
}: WorkerStatus): string[] {
  const leaving = state === 'draining' || state === 'ending' || state === 'paused';
  const holders = holding.map(({ method, url, ageMs }) => `${method} ${url} for ${showMs(ageMs)}`).join(', ');
  const idle =
    state === 'draining' && holding.length === 0 && connections
      ? showKinds([{ kinds }]) || count(connections, 'connection')
      : '';
  const held = leaving ? holders || idle : '';
  return [
    ...(unmeasured ? [`  ${id}: - because ${unmeasured}`] : []),
    ...(clients === undefined ? [] : [`  ${id} knows ${count(clients, 'client')}`]),
    ...(silentMs === null ? [] : [`  ${id} is silent for ${showMs(silentMs)}`]),
    ...(held ? [`  ${id} is held by ${held}`] : [])
  ];
}

function showBake({ generation, forMs, leftMs, before, after }: BakeStatus): string[][] {
  const left = ['bake', `generation ${generation}, ${showMs(leftMs)} of ${showMs(forMs)} left`];
  if (!after) return [left];
  return [left, ['  now', showFigures(after)], ...(before ? [['  before', showFigures(before)]] : [])];
}

/** What an operator has to know at 3 a.m.: who answers what, how both do, what comes next. */
function showCanary(canary: CanaryStatus): string[][] {
  const { generation, active, name, judged, by, always, never, step, steps, next, figures } = canary;
  const of = steps.length > 1 ? `, step ${step} of ${steps.map(showShare).join(', ')}` : '';
  const chosen = [
    `by ${by}`,
    ...(always.length > 0 ? [`always ${always.join(', ')}`] : []),
    ...(never.length > 0 ? [`never ${never.join(', ')}`] : [])
  ].join('; ');
  const title = judged ? 'canary' : `split${name === null ? '' : ` ${name}`}`;
  return [
    [title, `generation ${generation} answers ${showShares(canary)} beside generation ${active}${of}; ${chosen}`],
    ...(figures.active ? [[`  gen. ${active}`, showFigures(figures.active)]] : []),
    ...(figures.canary ? [[`  gen. ${generation}`, showFigures(figures.canary)]] : []),
    ['  next', next]
  ];
}

function showShares({ share, measuredShare }: CanaryStatus): string {
  return `${showShare(share)}${measuredShare === null ? '' : ` (measured ${showShare(measuredShare)})`}`;
}

function showFigures({ spanMs, requests, failed, p50Ms, p99Ms, cpuMsPerRequest, rssBytes }: Figures): string {
  const parts = [
    `${count(requests, 'request')} in ${showMs(spanMs)}`,
    `${failed} 5xx`,
    ...(p50Ms === null || p99Ms === null ? [] : [`p50 ${showMs(p50Ms)}`, `p99 ${showMs(p99Ms)}`]),
    ...(cpuMsPerRequest === null ? [] : [`CPU ${cpuMsPerRequest} ms each`]),
    ...(rssBytes === null ? [] : [showBytes(rssBytes)])
  ];
  return parts.join(', ');
}

function showHistory(history: Status['history']): string[] {
  const rows = history.slice(-HISTORY_SHOWN).map(({ generation, outcome, startedAt, entry, reason }) => {
    return [`  ${generation}`, outcome, showTime(startedAt), entry, firstLine(reason ?? '')];
  });
  return rows.length === 0 ? [] : ['history', ...columns(rows, [0])];
}

function showLoad({ workers }: GenerationStatus): string {
  const sum = (of: 'connections' | 'inFlight') => {
    const known = workers.map((worker) => worker[of]).filter((value) => value !== null);
    return known.length === workers.length ? known.reduce((all, one) => all + one, 0) : null;
  };
  const connections = sum('connections');
  const inFlight = sum('inFlight');
  const held = connections === null ? '- connections' : count(connections, 'connection');
  return `${count(workers.length, 'worker')}, ${held}, ${inFlight ?? '-'} in flight`;
}

/** Date and time of day, as the clock on the wall says. */
export function showTime(at: number | string): string {
  const time = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** The same with its time zone: of what is still to come, and read from elsewhere. */
export function showMoment(at: number | string): string {
  const east = -new Date(at).getTimezoneOffset();
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const zone = `${east < 0 ? '-' : '+'}${two(Math.abs(east) / 60)}:${two(Math.abs(east) % 60)}`;
  return `${showTime(at)} ${east === 0 ? 'UTC' : zone}`;
}

function number(value: number | null): string {
  return value === null ? '-' : String(value);
}

function showFleet({ service, machine, joined, release, state, phase, why }: FleetStatus): string {
  const goal = release === null ? 'nothing was deployed to it yet' : `release ${release} is ${state}`;
  const away = joined ? '' : '; not joined at the moment: nothing is begun';
  return `${service}, as ${machine}: ${goal}, this machine ${phase}${why === null ? '' : `: ${firstLine(why)}`}${away}`;
}
