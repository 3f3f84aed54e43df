import type { EventLine, LogLine } from '../core/log-line.ts';
import type { Io } from './io.ts';

const COLOURS = { info: 'cyan', warn: 'yellow', error: 'red' } as const;

/** A line of a service, for a person. What a worker wrote stays as it is, behind the time and its worker. */
export function showLogLine(line: LogLine, paint: Io['paint']): string {
  const clock = paint('dim', new Date(line.time).toTimeString().slice(0, 8));
  if ('event' in line) return `${clock}  ${showEvent(line, paint)}`;
  const bar = line.stream === 'stderr' ? paint('red', '|') : '|';
  return `${clock}  ${line.worker} ${bar} ${line.line}`;
}

function showEvent({ time: _, level, event, generation, worker, reason, ...extra }: EventLine, paint: Io['paint']) {
  const about = worker ?? (generation === undefined ? '' : `generation ${generation}`);
  const details = Object.entries(extra)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  const parts = [paint(COLOURS[level], event), about, ...details].filter((part) => part !== '');
  // The last words of a worker are several lines; an event is one.
  const why = reason === undefined ? '' : `: ${reason.trim().replace(/\s*\n\s*/g, ' | ')}`;
  return `${parts.join('  ')}${why}`;
}
