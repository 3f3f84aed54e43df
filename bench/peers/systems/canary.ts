/** What the new version answers first, and for how long, in every row of a canary. */
export const CANARY_PERCENT = 10;
export const CANARY_MS = 1_000;
export const CANARY_NOTE = `The new version answers ${CANARY_PERCENT} % for a second first; the time of a deploy takes that in.`;
