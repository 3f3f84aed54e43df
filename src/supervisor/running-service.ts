import { EventEmitter } from 'node:events';
import { findUser } from '../control/asked-by.ts';
import { DRAIN, type Fields, RELOAD, ROLLBACK, readOrder, SCALE } from '../control/bodies.ts';
import type { DrainOrder, Operator } from '../control/routes.ts';
import type { AskedBy } from '../core/state/state.ts';
import { realpathOr } from '../host/unix.ts';
import type { ServiceEvents } from './events.ts';
import { createOperator } from './operator.ts';
import type { Service } from './service.ts';
import type { Supervisor } from './supervisor.ts';

/** A supervisor as the program sees it that it is a part of. */
export class RunningService extends EventEmitter<ServiceEvents> implements Service {
  readonly #supervisor: Supervisor;
  readonly #operator: Operator;
  readonly #told: (() => Promise<void>) | null;

  constructor(supervisor: Supervisor, told: (() => Promise<void>) | null) {
    super();
    this.#supervisor = supervisor;
    this.#operator = createOperator(supervisor);
    this.#told = told;
    supervisor.notices.add((notice) => {
      this.emit('event', notice);
      (this as EventEmitter).emit(notice.event, notice);
    });
    supervisor.appMessages.add((worker, message) => this.emit('message', { worker, message }));
  }

  get name(): string {
    return this.#supervisor.app.name;
  }

  get socket(): string {
    return realpathOr(this.#supervisor.socket);
  }

  get addresses(): readonly string[] {
    return this.#supervisor.addresses;
  }

  reload: Service['reload'] = async (order) =>
    this.#as('reload').reload(read('reload', typeof order === 'string' ? { entry: order } : order, RELOAD));

  rollback: Service['rollback'] = async (order) => this.#as('rollback').rollback(read('rollback', order, ROLLBACK));

  canary = (share: string | number) => this.#as('canary').canary(share);

  promote = () => this.#as('promote').promote();
  abort = () => this.#as('abort').abort();

  retire = () => this.#as('retire').retire();
  undrain = () => this.#as('undrain').undrain();
  drain = async (order: DrainOrder = {}) => this.#as('drain').drain(read<DrainOrder>('drain', order, DRAIN));

  scale = async (workers: number) =>
    this.#as('scale').scale(read<{ workers: number }>('scale', { workers }, SCALE).workers);

  history = () => this.#supervisor.statusSource.history();

  status = () => this.#supervisor.statusSource.status();

  async close(): Promise<void> {
    await this.#supervisor.orders.carryOut(byCode('close'), () => this.#supervisor.stop('close() was called'));
    await this.#told?.();
  }

  #as(method: string): Operator {
    return this.#operator.as(byCode(method));
  }
}

/** The program that this supervisor is a part of. */
function byCode(method: string): AskedBy {
  return { uid: process.getuid?.() ?? null, user: findUser(), command: `service.${method}()` };
}

/** What an app passes is checked as what comes over the control socket is. */
function read<T extends object>(method: string, order: unknown, fields: Fields): T {
  return readOrder(`The argument of ${method}()`, order, fields, 'HANDOVER_ERR_OPTION_INVALID');
}
