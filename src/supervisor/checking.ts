import type { News } from '../core/state/state.ts';
import type { Prover } from '../host/checks/checker.ts';
import type { Asked } from '../host/checks/private-client.ts';

interface ProvingPorts {
  post(news: News): void;
  now(): number;
  /** The workers of a generation, to be asked privately. */
  asked(generation: number): Asked[];
}

/** Has a candidate checked, whole or one worker of it, and tells the core how it went. */
export class Proving {
  readonly #prover: Prover;
  readonly #ports: ProvingPorts;

  constructor(prover: Prover, ports: ProvingPorts) {
    this.#prover = prover;
    this.#ports = ports;
  }

  async prove(about: number, worker: string | null): Promise<void> {
    const { asked, post, now } = this.#ports;
    const proof = await this.#prover.prove(asked(about).filter((one) => worker === null || one.worker === worker));
    const at = now();
    if (!proof.holds) post({ type: 'check-failed', about, at, check: proof.check, why: proof.why });
    else if (worker === null) post({ type: 'proven', about, at });
    else post({ type: 'worker-proven', worker, at });
  }
}
