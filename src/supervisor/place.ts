import type { Operator } from '../control/routes.ts';
import { ControlServer } from '../control/server.ts';
import type { Notice } from '../core/state/state.ts';
import { LinkFile, type NamedWorker } from '../host/link-file.ts';
import { type Knock, Links, linkPath } from '../host/links.ts';
import { ownerOf } from '../host/processes/running-process.ts';
import type { Succession } from '../host/succession.ts';
import type { SavedState } from './saved-state.ts';
import { notAll } from './upgrade.ts';

/** How often it is looked whether everything is where it was made: something may clean up temporary files. */
const LOOK_MS = 500;

export const SUPERSEDED: Notice = { level: 'warn', event: 'superseded', reason: 'another supervisor has taken over' };

interface PlaceParts {
  readonly savedState: SavedState;
  onKnock(knock: Knock): void;
  announce(notice: Notice): void;
  /** Notes the state, to be written again. */
  keepState(): void;
  /** Another supervisor has taken over. */
  onSuperseded(): void;
}

/** The files by which operators, workers and the next supervisor find this one. Whoever has the control socket supervises. */
export class Place {
  readonly links: Links;
  readonly linkFile: LinkFile;
  readonly #control: ControlServer;
  readonly #parts: PlaceParts;
  #timer: NodeJS.Timeout | null = null;
  #isHeld = false;
  #isSuspended = false;
  #isSuperseded = false;

  constructor(socket: string, operator: Operator, parts: PlaceParts) {
    this.#parts = parts;
    const { announce } = parts;
    const path = linkPath(socket);
    this.linkFile = new LinkFile(path, (reason) => announce({ level: 'warn', event: 'workers-unnamed', reason }));
    const code = 'HANDOVER_ERR_PROTOCOL_MESSAGE';
    const onStranger = (reason: string) => announce({ level: 'warn', event: 'garbage', code, reason });
    this.links = new Links(path, this.linkFile.secret, (knock) => this.#onKnock(knock), onStranger);
    this.#control = new ControlServer(socket, operator, () => this.linkFile.isHolderStopped);
  }

  /**
   * Takes the place, unless another supervisor has it; as a successor, listens beside it.
   *
   * @throws HANDOVER_ERR_REFUSED_NAME_TAKEN, HANDOVER_ERR_CONTROL_SOCKET
   */
  async take(name: string, succession: Succession | null): Promise<void> {
    // Those of an earlier supervisor may run as whoever its options said.
    for (const { pid } of this.linkFile.earlier ?? []) this.links.admit(ownerOf(pid).uid);
    if (succession) return succession.say({ links: this.links.openAside() });
    await this.#control.open(name);
    this.links.open();
    this.#hold();
  }

  #onKnock(knock: Knock): void {
    // One that still hears this supervisor has gone to its successor, and looks back.
    if (this.#isSuspended && !knock.hello.isAlone) knock.refuse('the next supervisor takes over');
    else this.#parts.onKnock(knock);
  }

  #hold(): void {
    this.#isHeld = true;
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /**
   * Takes the place of the supervisor that has it, in one step each: somebody answers at every moment.
   *
   * @param missing how many of its workers have not come
   * @throws HANDOVER_ERR_WORKER_UPGRADE
   */
  async takeOver(missing: number, succession: Succession | null): Promise<void> {
    if (!succession) return;
    if (missing > 0) throw notAll(missing);
    await this.#control.takeOver();
    this.links.takePlace();
    this.#hold();
  }

  /** A successor may take the place: nothing is decided here until it has, or has failed. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** Takes the place back from a successor that has failed. */
  async retake(): Promise<void> {
    if (this.#control.place !== 'ours') await this.#control.restore();
    if (!this.links.isThere) this.links.open();
    this.linkFile.write();
    this.#isSuspended = false;
  }

  /** Whether this supervisor may decide: another one may have taken over while it was stopped. */
  holds(): boolean {
    if (this.#isSuspended || this.#isSuperseded) return false;
    if (!this.#isHeld || this.#control.place !== 'taken') return true;
    this.leave();
    this.#parts.onSuperseded();
    return false;
  }

  /** Names the workers that run. */
  name(workers: readonly NamedWorker[]): void {
    if (this.#isHeld && this.holds()) this.linkFile.write(workers);
  }

  /** Makes anew what is gone. */
  look(): void {
    if (!this.#isHeld || !this.holds()) return;
    const { savedState, announce, keepState } = this.#parts;
    const { links, linkFile } = this;
    const control = this.#control;
    const gone: string[] = [];
    if (control.place === 'gone') {
      gone.push(control.path);
      void control.restore();
    }
    if (!links.isThere) {
      gone.push(links.path);
      links.open();
    }
    if (!linkFile.isThere) linkFile.write();
    if (!savedState.isThere) keepState();
    if (gone.length === 0) return;
    const reason = `${gone.join(' and ')} was removed by something else, and is made anew`;
    announce({ level: 'warn', event: 'socket-restored', reason });
  }

  /** Lets go of the place, and removes what is still its own. */
  close(): void {
    if (!this.#isHeld || this.#isSuspended) return;
    this.#letGo();
    this.links.close();
    this.linkFile.remove();
    this.#control.close();
  }

  /** Lets go of the place, without touching what is another's by now: that decides from here on. */
  leave(): void {
    this.#isSuperseded = true;
    this.#letGo();
  }

  #letGo(): void {
    this.#isHeld = false;
    if (this.#timer) clearInterval(this.#timer);
  }
}
