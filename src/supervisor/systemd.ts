import type { Generation, Notice, State } from '../core/state/state.ts';
import { arePassedBlocking } from '../host/listeners/activation.ts';
import { type Report, SystemdNotifier } from '../host/systemd-notify.ts';
import { watchZombies } from '../host/zombies.ts';
import type { Supervisor } from './supervisor.ts';

/** Says once that ended processes pile up, where this is process 1. */
function informOfZombies({ notices, warn }: Supervisor): void {
  const end = watchZombies((count) => {
    const reason = `${count} processes have ended that Node, as process 1, does not wait for: start it under an init (\`docker run --init\`, or tini)`;
    warn({ level: 'warn', event: 'zombies', count, reason });
  });
  notices.add(({ event }: Notice) => {
    if (event === 'stopped') end();
  });
}

/**
 * Says once that systemd makes its sockets blocking with each start. That is a property of the socket itself: workers that
 * outlive a main process have it too, and one whose connection another has taken waits in accept() until somebody else connects.
 */
function warnOfBlocking({ warn }: Supervisor): void {
  if (!arePassedBlocking()) return;
  const reason =
    'systemd passes its socket as one that blocks: when it starts the service again after a kill, workers that serve on can hang in accept(). Set NonBlocking=yes in [Service]';
  warn({ level: 'warn', event: 'socket-blocks', reason });
}

/** Keeps systemd informed of a service from its first start to its stop, where systemd asked for that. */
export function informSystemd(supervisor: Supervisor): void {
  informOfZombies(supervisor);
  warnOfBlocking(supervisor);
  const { notices, statusSource, warn } = supervisor;
  const notifier = new SystemdNotifier((why) => {
    const reason = `${why}: systemd does not know how the service is. Install it, or set Type=exec and no WatchdogSec=`;
    warn({ level: 'warn', event: 'notify-failed', reason });
  });
  let hasBegun = false;
  notices.add(({ event }: Notice) => {
    const state = statusSource.counted();
    // What is said before anything was started is no stop.
    hasBegun ||= state.phase !== 'stopped';
    if (hasBegun) notifier.tell(report(state));
    if (event === 'stopped') notifier.close();
  });
}

/** What systemd is to know of a state. What is not a handover before its cutover is a service that is ready. */
export function report(state: State): Report {
  switch (state.phase) {
    case 'booting':
      return { mode: null, status: `generation ${state.candidate.id} is starting` };
    case 'steady':
    case 'pausing':
      return { mode: 'ready', status: describe(state.active) };
    case 'stopping':
    case 'stopped':
      return { mode: 'stopping', status: 'stopping' };
    case 'starting':
    case 'checking':
    case 'withdrawing':
      return {
        mode: 'reloading',
        status: `${describe(state.active)}; generation ${state.candidate.id} is starting`
      };
    default:
      return { mode: 'reloading', status: `${describe(state.active)}; generation ${state.next.id} is taking over` };
  }
}

function describe({ id, workers }: Generation): string {
  return `generation ${id} is active, ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`;
}
