import type { AskedBy, Notice } from '../core/state/state.ts';

/** Events that an order causes. What else happens while it is carried out is nobody's order. */
const CAUSED: ReadonlySet<string> = new Set([
  'canary',
  'config-changed',
  'cutover',
  'drained',
  'failed',
  'paused',
  'ready',
  'retiring',
  'scaling',
  'starting',
  'stopped',
  'stopping',
  'undrained',
  'upgrading',
  'withdrawing'
]);

/** The orders that are being carried out, and who gave them: what is said of an event that they cause. */
export class Orders {
  readonly #open: AskedBy[] = [];

  /** Who gave the newest one; null where there is none, or nobody is known. */
  get by(): AskedBy | null {
    return this.#open.at(-1) ?? null;
  }

  /** Carries out an order in somebody's name. */
  async carryOut<T>(by: AskedBy | null, order: () => Promise<T>): Promise<T> {
    if (!by) return order();
    this.#open.push(by);
    try {
      return await order();
    } finally {
      this.#open.splice(this.#open.indexOf(by), 1);
    }
  }

  /** Adds to an event who asked for what it tells. */
  sign(notice: Notice): Notice {
    const { by } = this;
    if (!by) return notice;
    // A verdict is a measurement, unless somebody ended the waiting for it.
    const isTheirs = CAUSED.has(notice.event) || (notice.event === 'verdict' && !by.command.includes('reload'));
    return isTheirs ? { ...notice, operator: by } : notice;
  }
}
