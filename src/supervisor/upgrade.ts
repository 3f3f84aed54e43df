import { readFileSync } from 'node:fs';
import type { UpgradeDone, UpgradeOrder } from '../control/routes.ts';
import type { Notice, State } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import { passedDescriptors } from '../host/listeners/activation.ts';
import { isOutputTaken } from '../host/processes/output.ts';
import type { Workers } from '../host/processes/workers.ts';
import type { Relay } from '../host/relay.ts';
import { commandOf, Successor, type SuccessorCommand } from '../host/successor.ts';
import { tellMainPid } from '../host/systemd-notify.ts';
import type { Mailbox } from './mailbox.ts';
import type { Place } from './place.ts';
import type { SavedState } from './saved-state.ts';

/** How long the answer to the order may take to leave this process. */
const LAST_ANSWER_MS = 200;
/** How long connections that are on their way may take to arrive, and output to be taken by whoever reads it. */
const QUIET_MS = 2_000;

interface UpgradeParts {
  readonly mailbox: Mailbox;
  readonly workers: Workers;
  readonly relay: Relay;
  readonly place: Place;
  readonly savedState: SavedState;
  announce(notice: Notice): void;
  /** Nothing is touched any more that is the successor's. */
  leave(notice: Notice): void;
}

/** Replaces this supervisor by another one, which takes everything over while this one stands still. */
export class Upgrade {
  readonly #parts: UpgradeParts;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /**
   * Settles when the successor has everything; this process is about to leave then.
   *
   * @throws HANDOVER_ERR_REFUSED_BUSY; HANDOVER_ERR_WORKER_UPGRADE, with this supervisor going on as before
   */
  async run({ node, args }: UpgradeOrder): Promise<UpgradeDone> {
    const { announce } = this.#parts;
    const active = this.#assertSteady(this.#parts.mailbox.state);
    const command = commandOf(node ?? null, args ?? null);
    if (process.pid === 1) return this.#replace(command, active);
    if (isUnheardMain(process.env))
      throw failed('systemd would take its end for that of the service: set NotifyAccess=all in the unit', active);
    const init = initAbove();
    if (init !== null)
      throw failed(`${init}, the init of this container, ends with its first child, which this supervisor is`, active);
    announce({ level: 'info', event: 'upgrading', generation: active });
    const successor = await this.#freeze(command);
    const why = await successor.outcome;
    if (why !== null) {
      await this.#goOn(successor);
      throw failed(why, active);
    }
    const notifying = await tellMainPid(successor.pid);
    if (notifying !== null) announce({ level: 'warn', event: 'notify-failed', reason: notifying });
    successor.leave();
    const notice = { level: 'info', event: 'superseded', upgraded: true, by: successor.pid } as const;
    setTimeout(() => this.#parts.leave(notice), LAST_ANSWER_MS);
    return { ok: true, active, from: process.pid, to: successor.pid };
  }

  async #freeze(command: SuccessorCommand): Promise<Successor> {
    const { workers, relay, place, savedState } = this.#parts;
    for (const until = performance.now() + QUIET_MS; !relay.isEmpty && performance.now() < until; )
      await new Promise((done) => setTimeout(done, 10));
    place.suspend();
    await savedState.flush();
    workers.pauseOutput();
    for (const until = performance.now() + QUIET_MS; !isOutputTaken() && performance.now() < until; )
      await new Promise((done) => setTimeout(done, 10));
    return new Successor(command, (path) => workers.lending.relink(path));
  }

  /** The successor failed: this one goes on. Workers that it had heard knock here again. */
  async #goOn(successor: Successor): Promise<void> {
    const { mailbox, workers, place } = this.#parts;
    await successor.end();
    await place.retake();
    workers.resumeOutput();
    mailbox.goOn();
  }

  /** As PID 1 there can be no other process in its place: it becomes its own successor. */
  async #replace({ node, args }: SuccessorCommand, active: number): Promise<UpgradeDone> {
    const { execve } = process as unknown as { execve?(file: string, args: string[], env: NodeJS.ProcessEnv): never };
    if (!execve)
      throw failed(
        `as PID 1 it can only replace itself, which Node does from 22.15 on (this is ${process.version})`,
        active
      );
    if (passedDescriptors().length > 0)
      throw failed(
        'as PID 1 it can only replace itself, and Node would close the sockets that were passed to it',
        active
      );
    const trial = new Successor({ node, args }, () => {}, true);
    const why = await trial.outcome;
    await trial.end();
    if (why !== null) throw failed(why, active);
    const { savedState, place } = this.#parts;
    place.suspend();
    await savedState.flush();
    setTimeout(() => execve(node, [node, ...args], process.env), LAST_ANSWER_MS);
    return { ok: true, active, from: process.pid, to: process.pid };
  }

  #assertSteady(state: State): number {
    if (state.phase === 'steady' && !state.completing && !state.scaling && !state.plannedStop) return state.active.id;
    const active = 'active' in state ? state.active.id : null;
    const account = {
      what: 'Cannot upgrade the supervisor',
      why: state.plannedStop ? 'the service is about to stop' : 'a handover is in progress',
      fix: 'Wait for its end'
    };
    throw new HandoverError('HANDOVER_ERR_REFUSED_BUSY', account, { active });
  }
}

/** The name of an init that ends as soon as this process does; null where there is none. */
function initAbove(): string | null {
  if (process.ppid !== 1) return null;
  try {
    const name = readFileSync('/proc/1/comm', 'utf8').trim();
    return /^(?:tini|docker-init|dumb-init|catatonit)$/.test(name) ? name : null;
  } catch {
    return null; // no Linux
  }
}

/** Whether this is the main process of a unit, and systemd does not listen to what it says. @source systemd.exec(5) */
function isUnheardMain({ SYSTEMD_EXEC_PID, NOTIFY_SOCKET }: NodeJS.ProcessEnv): boolean {
  return SYSTEMD_EXEC_PID === String(process.pid) && !NOTIFY_SOCKET;
}

function failed(why: string, active: number): HandoverError {
  const account = {
    what: 'The supervisor was not upgraded',
    why: `its successor did not take over: ${why}`,
    fix: `Mend what it says and try again; this supervisor goes on, and generation ${active} is still active`
  };
  return new HandoverError('HANDOVER_ERR_WORKER_UPGRADE', account, { active });
}

/** A successor takes over all or nothing: the supervisor that started it goes on otherwise. */
export function notAll(missing: number): HandoverError {
  return new HandoverError('HANDOVER_ERR_WORKER_UPGRADE', {
    what: 'Cannot take over from the supervisor that runs',
    why: `${missing === 1 ? 'one of its workers has' : `${missing} of its workers have`} not come: blocked, stopped, or of another version of the protocol`,
    fix: 'Look at them with `handover status`, and try again'
  });
}
