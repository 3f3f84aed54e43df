import type { ConfigChange, ServiceEvent } from '../control/routes.ts';
import type { Io } from './io.ts';
import { count, describeChange, firstLine, showMs, showShare } from './print.ts';

/** How often the running clock moves. */
const TICK_MS = 100;

/** What a phase is called in a line; events without an entry are not phases. */
const ABOUT: Readonly<Record<string, (event: ServiceEvent) => string>> = {
  'config-changed': (event) => describeChange(event as unknown as ConfigChange).join(' '),
  starting: ({ generation, entry, workers }) =>
    `generation ${generation}: ${entry}, ${count(Number(workers), 'worker')}`,
  ready: ({ generation }) => `generation ${generation}`,
  'check-waiting': ({ check, reason }) => `${check}: ${reason}`,
  proven: ({ generation }) => `generation ${generation}`,
  'worker-ready': ({ worker }) => `worker ${worker}`,
  withdrawing: ({ forMs, reason }) => `for ${showMs(Number(forMs))}: ${reason}`,
  quieting: ({ generation }) => `generation ${generation} finishes its requests`,
  quiet: ({ generation }) => `generation ${generation}`,
  migrating: ({ generation }) => `beforeCutover runs for generation ${generation}`,
  migrated: ({ generation }) => `generation ${generation} may serve`,
  cutover: ({ from, to }) => `from generation ${from} to ${to}`,
  paused: ({ generation }) => `generation ${generation}`,
  'pause-overdue': because,
  closed: ({ addresses, reason }) => `${Array.isArray(addresses) ? addresses.join(', ') : addresses}: ${reason}`,
  baking: ({ generation, forMs }) => `generation ${generation} for ${showMs(Number(forMs))}`,
  'bake-extended': ({ generation, forMs, reason }) =>
    `generation ${generation} for ${showMs(Number(forMs))}: ${reason}`,
  canary: ({ generation, share, step, steps }) =>
    `generation ${generation} answers ${showShare(Number(share))}${steps === undefined ? '' : `, step ${step} of ${steps}`}`,
  'canary-waits': because,
  verdict: ({ generation, decision, reason }) => `generation ${generation}: ${decision}, ${reason}`,
  failed: ({ generation }) => `generation ${generation}`,
  'worker-exited': because,
  'worker-left': ({ worker }) => `worker ${worker}`,
  'worker-hung': because,
  scaling: ({ from, to }) => `from ${from} to ${to}`,
  'worker-replaced': ({ worker }) => `worker ${worker}`,
  upgrading: () => 'the next supervisor starts',
  retiring: because,
  'drain-overdue': (event) => `${because(event)}${showHolders(event)}`,
  retired: ({ generation }) => `generation ${generation}`,
  stopping: ({ reason }) => String(reason),
  stopped: () => 'all workers have exited'
};

const WIDTH = Math.max(...Object.keys(ABOUT).map((name) => name.length));

/** Shows the phases of an order. */
export interface Phases {
  show(event: ServiceEvent): void;
  end(): void;
}

/**
 * One line for each phase. On a terminal the last line has a running clock, which stays as the time that the phase
 * took, and while baking counts down; elsewhere each line says when its phase began.
 */
export function createPhases(io: Io): Phases {
  const startedAt = performance.now();
  if (!io.terminal) {
    const show = (event: ServiceEvent) => {
      const line = describePhase(event);
      if (line !== null) io.out(`${showMs(performance.now() - startedAt).padStart(10)}  ${line}`);
    };
    return { show, end: () => {} };
  }
  let current: { line: string; since: number; forMs: number | null } | null = null;
  const draw = () => {
    if (!current) return;
    const tookMs = performance.now() - current.since;
    const leftMs = current.forMs === null ? null : Math.max(0, current.forMs - tookMs);
    const clock = leftMs === null ? showMs(tookMs) : `${Math.ceil(leftMs / 1000)} s left`;
    io.draw(`\r\x1b[K${fit(current.line, clock, io)}`);
  };
  const settle = () => {
    if (current) current.forMs = null;
    draw();
    if (current) io.draw('\n');
    current = null;
  };
  const clock = setInterval(draw, TICK_MS);
  return {
    show: (event) => {
      const line = describePhase(event);
      if (line === null) return;
      settle();
      const { event: name, forMs } = event;
      current = { line, since: performance.now(), forMs: name === 'baking' ? Number(forMs) : null };
      draw();
    },
    end: () => {
      clearInterval(clock);
      settle();
    }
  };
}

/** A phase as a line, or null for an event that is none. */
export function describePhase(event: ServiceEvent): string | null {
  const about = Object.hasOwn(ABOUT, event.event) ? ABOUT[event.event] : undefined;
  return about ? `${event.event.padEnd(WIDTH)}  ${firstLine(about(event))}` : null;
}

/** A line that wraps cannot be redrawn in place. */
function fit(line: string, clock: string, io: Io): string {
  const room = Math.max(10, io.columns() - clock.length - 3);
  const shown = line.length > room ? `${line.slice(0, room - 1)}…` : line;
  return `${io.paint('cyan', shown.slice(0, WIDTH))}${shown.slice(WIDTH)}  ${io.paint('dim', clock)}`;
}

function because({ generation, worker, reason }: ServiceEvent): string {
  const subject = worker === undefined ? `generation ${generation}` : `worker ${worker}`;
  return reason === undefined ? subject : `${subject}: ${reason}`;
}

function showHolders({ connections, inFlight, holding }: ServiceEvent): string {
  const urls = Array.isArray(holding) ? holding.map(({ method, url }) => `${method} ${url}`).join(', ') : '';
  const held = [
    typeof connections === 'number' ? count(connections, 'connection') : '',
    typeof inFlight === 'number' ? `${count(inFlight, 'request')} in flight` : '',
    urls
  ].filter((part) => part !== '');
  return held.length === 0 ? '' : `, with ${held.join(', ')}`;
}
