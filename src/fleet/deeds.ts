import { resolve } from 'node:path';
import type { ReloadOrder } from '../control/routes.ts';
import { HandoverError } from '../errors.ts';
import type { Asking, FleetPorts } from './fleet-ports.ts';
import { expand, type FleetRelease, type Goal } from './rules/goal.ts';
import type { Deed, DeedResult } from './rules/member-state.ts';

const STOPPED: DeedResult = {
  ok: false,
  code: 'HANDOVER_ERR_CANDIDATE_ABANDONED',
  why: 'the machine was stopped before there was a verdict'
};

/** What the fleet has this machine's own supervisor do, one after the other, exactly as `handover reload --wait` does. */
export class Deeds {
  readonly #ports: FleetPorts;
  #calledOff = new AbortController();
  #by: Asking = { user: null, command: 'the fleet' };

  constructor(ports: FleetPorts) {
    this.#ports = ports;
  }

  async perform({ do: what, way, to }: Deed, goal: Goal): Promise<DeedResult> {
    this.#calledOff = new AbortController();
    this.#by = { user: goal.by.user, command: goal.by.command };
    try {
      if (what !== 'deploy') {
        await this.#ports.rollback(what === 'roll-back' ? null : to, this.#by);
        return { ok: true, verdict: null };
      }
      const release = way === 'back' ? goal.previous : goal.release;
      return release ? await this.#deploy(expand(release), goal) : { ok: true, verdict: null };
    } catch (error) {
      const { code, what: happened, why } = HandoverError.from(error);
      return { ok: false, code, why: `${happened}: ${why}` };
    }
  }

  /** Gives up what is being deployed: the fleet goes another way. */
  giveUp(): void {
    this.#calledOff.abort();
    // There is nothing to abort before a candidate is started, or after the verdict.
    this.#ports.abort(this.#by).catch(() => {});
  }

  async #deploy(release: FleetRelease, { strategy }: Goal): Promise<DeedResult> {
    const { label, entry, cwd, fetch } = release;
    const { folder } = this.#ports;
    if (fetch !== null) {
      const fetched = await this.#ports.fetch(fetch, label, this.#calledOff.signal);
      if (!fetched.ok) return { ok: false, code: 'HANDOVER_ERR_CANDIDATE_FETCH', why: fetched.why };
    }
    const order: ReloadOrder = {
      label,
      wait: true,
      // With a folder, the entry is meant from there.
      ...(entry === null ? {} : { entry: cwd === null ? resolve(folder, entry) : entry }),
      ...(cwd === null ? {} : { cwd: resolve(folder, cwd) }),
      ...(strategy === null ? {} : { strategy })
    };
    const { verdict } = await this.#ports.reload(order, this.#by);
    // A stop answers who waits for a verdict, too: none was reached.
    if (this.#ports.look().generation === null) return STOPPED;
    if (verdict?.decision !== 'roll back') return { ok: true, verdict: verdict?.reason ?? null };
    // Rolling back is left to the operator by this service's options: the fleet does not go on from there.
    return { ok: false, code: 'HANDOVER_ERR_CANDIDATE_REJECTED', why: verdict.reason };
  }
}
