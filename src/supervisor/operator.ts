import type { Operator } from '../control/routes.ts';
import type { AskedBy } from '../core/state/state.ts';
import type { Supervisor } from './supervisor.ts';

/** What the control socket can ask of a supervisor. @param by who asks */
export function createOperator(supervisor: Supervisor, by: AskedBy | null = null): Operator {
  const { orders } = supervisor;
  const carryOut = <T>(order: () => Promise<T>) => orders.carryOut(by, order);
  return {
    as: (other) => createOperator(supervisor, other),
    active: () => supervisor.active(),
    status: () => supervisor.statusSource.status(),
    history: () => supervisor.statusSource.history(),
    reload: (order) => carryOut(() => supervisor.operations.reload(order)),
    rollback: (order) => carryOut(() => supervisor.operations.rollback(order)),
    canary: (share) => carryOut(() => supervisor.operations.canary(share)),
    promote: () => carryOut(() => supervisor.operations.promote()),
    abort: () => carryOut(() => supervisor.operations.abort()),
    retire: () => carryOut(() => supervisor.operations.retire()),
    scale: (workers) => carryOut(() => supervisor.operations.scale(workers)),
    drain: (order) => carryOut(() => supervisor.operations.drain(order)),
    undrain: () => carryOut(() => supervisor.operations.undrain()),
    upgrade: (order) => carryOut(() => supervisor.upgrade.run(order)),
    stop: (why) => {
      supervisor.operations.endWaiting(); // of an order to stop before this one
      return carryOut(() => supervisor.stop(why));
    },
    watch: (listener) => supervisor.notices.add((notice) => listener({ time: new Date().toISOString(), ...notice })),
    logs: supervisor.log.ring
  };
}

/** What signals ask of a supervisor. */
export function createSignalActions(supervisor: Supervisor) {
  return {
    reopen: supervisor.log.reopen,
    stop: (signal: string) => {
      void supervisor.orders.carryOut(bySignal(signal), async () => supervisor.stopOrHurry(signal));
    },
    reload: () => {
      supervisor.look();
      void supervisor.orders.carryOut(bySignal('SIGHUP'), () => supervisor.operations.reloadUnasked());
    }
  };
}

function bySignal(command: string): AskedBy {
  return { uid: null, user: null, command };
}
