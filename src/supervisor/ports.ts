import { receiversOf } from '../core/routing/routing-of.ts';
import { acceptorsOf } from '../core/rules/cover.ts';
import type { Notice, State } from '../core/state/state.ts';
import type { Departed } from '../host/departed.ts';
import type { Listeners } from '../host/listeners/listeners.ts';
import type { Workers } from '../host/processes/workers.ts';
import { Relay } from '../host/relay.ts';
import type { BeforeCutoverRunner } from './before-cutover.ts';
import type { Checking } from './checking.ts';
import type { Deadlines } from './deadlines.ts';
import type { Pending } from './pending.ts';
import type { Ports } from './perform.ts';

interface Rooms {
  readonly workers: Workers;
  readonly checking: Checking;
  readonly beforeCutover: BeforeCutoverRunner;
  readonly deadlines: Deadlines;
  readonly pending: Pending;
  readonly listeners: Listeners;
  readonly relay: Relay;
  announce(notice: Notice): void;
}

/** Each effect of the core becomes the deed of one room. */
export function createPorts({ workers, checking, beforeCutover, deadlines, pending, ...rooms }: Rooms): Ports {
  return {
    fork: (worker, generation, release) => workers.fork(worker, generation, release),
    check: (generation, worker) => void checking.check(generation, worker),
    verify: (generation) => void workers.verify(generation),
    migrate: (from, generation, release) => beforeCutover.begin(from, generation, release),
    cancelBeforeCutover: () => beforeCutover.cancel(),
    accept: (worker) => workers.accept(worker),
    hold: (worker, yields) => workers.hold(worker, yields),
    pause: (worker, { receivers, hurry = false, last = false }) =>
      // Who passed a listener goes on with it.
      workers.pause(worker, { receivers, hurry, last: last && !rooms.listeners.hasPassed }),
    activate: (worker) => workers.setWhileActive(worker, 'activate'),
    deactivate: (worker) => workers.setWhileActive(worker, 'deactivate'),
    drain: (worker, receivers) => workers.drain(worker, receivers),
    terminate: (worker) => workers.signal(worker, 'SIGTERM'),
    kill: (worker) => workers.signal(worker, 'SIGKILL'),
    setDeadline: (deadline, about, afterMs) => deadlines.set(deadline, about, afterMs),
    clearDeadline: (deadline, about) => deadlines.clear(deadline, about),
    reply: (request, answer) => pending.reply(request, answer),
    announce: (notice) => rooms.announce(notice),
    closeListeners: () => {
      rooms.listeners.close();
      rooms.relay.onReceiver(); // nobody inherits any more: what is on its way goes back
    }
  };
}

interface RelayRooms {
  state(): State;
  workers(): Workers;
  readonly departed: Departed;
  announce(notice: Notice): void;
}

/** The relay between the workers of this service. */
export function createRelay({ state, workers, departed, announce }: RelayRooms): Relay {
  return new Relay({
    receivers: () => acceptorsOf(state()).map(({ id }) => workers().asReceiver(id)),
    receiversOf: (to) => receiversOf(state(), to).map(({ id }) => workers().asReceiver(id)),
    expectsReceivers: () => !['stopping', 'stopped'].includes(state().phase),
    deliver: (worker, transfer, handle, onFailed) => workers().deliver(worker, transfer, handle, onFailed),
    confirm: (worker, id, busy) => workers().confirm(worker, id, busy),
    isAlive: (worker) => workers().has(worker),
    // A request that is answered by another version takes its connection along; that is no handover.
    onMoved: (from, moving, refused) => moving.to === '' && departed.onMoved(from, moving, refused),
    onLost: (worker) =>
      announce({ level: 'error', event: 'connection-lost', worker, reason: 'no worker could take it' })
  });
}
