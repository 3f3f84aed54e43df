import type { Operator } from '../control/routes.ts';
import type { Supervisor } from './supervisor.ts';

/** What the control socket can ask of a supervisor. */
export function createOperator(supervisor: Supervisor): Operator {
  const { operations, statusSource } = supervisor;
  return {
    active: () => supervisor.active(),
    status: () => statusSource.status(),
    history: () => statusSource.history(),
    reload: (order) => operations.reload(order),
    rollback: (order) => operations.rollback(order),
    promote: () => operations.promote(),
    abort: () => operations.abort(),
    retire: () => operations.retire(),
    scale: (workers) => operations.scale(workers),
    stop: (why) => supervisor.stop(why),
    watch: (listener) => supervisor.notices.add((notice) => listener({ time: new Date().toISOString(), ...notice }))
  };
}
