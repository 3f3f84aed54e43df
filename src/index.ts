export type {
  AbortDone,
  History,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone,
  ServiceEvent
} from './control/routes.ts';
export type { Status, WorkerStatus } from './core/status.ts';
export { type ErrorCode, HandoverError } from './errors.ts';
export { type Service, type ServiceEvents, type SuperviseOptions, supervise } from './supervise.ts';
