/** Over so long a time, at least, it is measured. */
const SPAN_MS = 10;
/** What was measured so long ago says nothing of now. */
const STALE_MS = 500;

/** How busy the event loop of this process is. */
export class Busy {
  #mark = performance.eventLoopUtilization();
  #at = 0;
  #share = 0;

  /**
   * The share of the time since it was last asked in which something ran, or waited for the processor, 0-1.
   *
   * Of an interval that was too short to tell, the share before it; 0 of one that was too long.
   */
  take(): number {
    const now = performance.now();
    const spanMs = now - this.#at;
    if (spanMs < SPAN_MS) return this.#share;
    const mark = performance.eventLoopUtilization();
    this.#share = spanMs > STALE_MS ? 0 : performance.eventLoopUtilization(mark, this.#mark).utilization;
    this.#mark = mark;
    this.#at = now;
    return this.#share;
  }
}
