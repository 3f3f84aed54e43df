import type { News } from '../core/state/state.ts';
import type { Checker } from '../host/checks/checker.ts';
import type { PrivateTarget } from '../host/checks/private-client.ts';

interface CheckingPorts {
  post(news: News): void;
  now(): number;
  /** The workers of a generation, to be asked privately. */
  targetsOf(generation: number): PrivateTarget[];
}

/** Has a candidate checked, whole or one worker of it, and tells the core how it went. */
export class Checking {
  readonly #checker: Checker;
  readonly #ports: CheckingPorts;

  constructor(checker: Checker, ports: CheckingPorts) {
    this.#checker = checker;
    this.#ports = ports;
  }

  async check(about: number, worker: string | null): Promise<void> {
    const { targetsOf: asked, post, now } = this.#ports;
    const proof = await this.#checker.check(asked(about).filter((one) => worker === null || one.worker === worker));
    const at = now();
    if (!proof.holds) post({ type: 'check-failed', about, at, check: proof.check, why: proof.why });
    else if (worker === null) post({ type: 'proven', about, at });
    else post({ type: 'worker-proven', worker, at });
  }
}
