import { addLeft, type Kind, type Leave, type LeftByKind } from '../../protocol/kinds.ts';

/** Counts how the connections of a worker leave at a handover. */
export class Left {
  counts: LeftByKind = {};

  note(kind: Kind, how: Leave, reason?: string): void {
    this.counts = addLeft(this.counts, { [kind]: { [how]: 1, ...(reason ? { reasons: { [reason]: 1 } } : {}) } });
  }

  reset(): void {
    this.counts = {};
  }
}
