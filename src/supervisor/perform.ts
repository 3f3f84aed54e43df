import type { Deadline, Effect, Notice, Release, Reply } from '../core/state/state.ts';

/** What the core's effects are carried out with. Each call returns at once; what comes of it is news. */
export interface Ports {
  fork(worker: string, generation: number, release: Release): void;
  /** Checks a generation, or one worker of it, and warms it up; `proven` or `check-failed` comes of it. */
  check(generation: number, worker: string | null): void;
  /** Runs what must happen between two versions; `migrated` or `migrate-failed` comes of it. */
  migrate(from: number, generation: number, release: Release): void;
  cancelBeforeCutover(): void;
  /** Closes and asks the addresses of the service; `reached` or `unreached` comes of it. */
  verify(generation: number): void;
  accept(worker: string): void;
  hold(worker: string, yields: boolean): void;
  pause(worker: string, how: Omit<Extract<Effect, { do: 'pause' }>, 'do' | 'worker'>): void;
  activate(worker: string): void;
  deactivate(worker: string): void;
  drain(worker: string, receivers: boolean): void;
  terminate(worker: string): void;
  kill(worker: string): void;
  setDeadline(deadline: Deadline, about: number | string, afterMs: number): void;
  clearDeadline(deadline: Deadline, about: number | string): void;
  reply(request: number, answer: Reply): void;
  announce(notice: Notice): void;
  closeListeners(): void;
}

export function perform(effect: Effect, ports: Ports): void {
  switch (effect.do) {
    case 'fork':
      return ports.fork(effect.worker, effect.generation, effect.release);
    case 'check':
      return ports.check(effect.generation, effect.worker);
    case 'verify':
      return ports.verify(effect.generation);
    case 'run-before-cutover':
      return ports.migrate(effect.from, effect.generation, effect.release);
    case 'cancel-before-cutover':
      return ports.cancelBeforeCutover();
    case 'accept':
      return ports.accept(effect.worker);
    case 'hold':
      return ports.hold(effect.worker, effect.yields);
    case 'pause':
      return ports.pause(effect.worker, effect);
    case 'activate':
      return ports.activate(effect.worker);
    case 'deactivate':
      return ports.deactivate(effect.worker);
    case 'drain':
      return ports.drain(effect.worker, effect.receivers);
    case 'terminate':
      return ports.terminate(effect.worker);
    case 'kill':
      return ports.kill(effect.worker);
    case 'set-deadline':
      return ports.setDeadline(effect.deadline, effect.about, effect.afterMs);
    case 'clear-deadline':
      return ports.clearDeadline(effect.deadline, effect.about);
    case 'reply':
      return ports.reply(effect.request, effect.reply);
    case 'announce':
      return ports.announce(effect.notice);
    case 'close-listeners':
      return ports.closeListeners();
    default:
      effect satisfies never;
  }
}
