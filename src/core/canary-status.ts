import { type CanaryPlan, showBy, showCondition, showShare } from './routing/plan.ts';
import { isoTime } from './state/history.ts';
import type { Canary, Generation } from './state/state.ts';
import { describeBoth, type Figures } from './verdict/figures.ts';

/** Two versions that both answer, and how they do. */
export interface CanaryStatus {
  /** The canary. */
  readonly generation: number;
  /** The generation that answers the rest. */
  readonly active: number;
  /** Name of a split; null where it has none, and for a canary. */
  readonly name: string | null;
  /** Whether it is judged, and given up where it is worse: a split is not. */
  readonly judged: boolean;
  /** What part of the requests the canary is to answer, 0-1. */
  readonly share: number;
  /** What part it has answered since the share was last changed; null where nothing was asked for. */
  readonly measuredShare: number | null;
  /** Who goes where, such as `cookie:session`. */
  readonly by: string;
  /** Requests that the canary answers in any case, such as `header:x-beta=1`. */
  readonly always: readonly string[];
  /** Requests that it never answers. */
  readonly never: readonly string[];
  /** Which step it is, from 1. */
  readonly step: number;
  /** The shares of the steps. */
  readonly steps: readonly number[];
  /** When the share was last changed, ISO 8601. */
  readonly since: string;
  /** How long the step takes, in milliseconds; null where it does not end by itself. */
  readonly holdMs: number | null;
  /** How long it still takes. */
  readonly leftMs: number | null;
  /** What comes next, in words. */
  readonly next: string;
  /** What both did since the share was last changed; null before anything was measured. */
  readonly figures: { readonly active: Figures | null; readonly canary: Figures | null };
}

/** Turns a canary into what is shown of it. */
export function describeCanary(canary: Canary, active: Generation, next: Generation, now: number): CanaryStatus {
  const { plan, share, step, since, measured } = canary;
  const { before, after } = describeBoth(measured);
  const answered = (before?.requests ?? 0) + (after?.requests ?? 0);
  const measuredShare = after === null || answered === 0 ? null : Number((after.requests / answered).toFixed(4));
  return {
    ...{ generation: next.id, active: active.id, name: plan.name, judged: plan.isJudged, share, measuredShare },
    ...{ by: showBy(plan.by), always: plan.always.map(showCondition), never: plan.never.map(showCondition) },
    ...{ step: step + 1, steps: plan.steps, since: isoTime(since), holdMs: plan.holdMs, leftMs: leftOf(canary, now) },
    next: describeNext(canary, next.rejected, now),
    figures: { active: before, canary: after }
  };
}

function leftOf({ plan: { holdMs }, since }: Canary, now: number): number | null {
  return holdMs === null ? null : Math.max(0, Math.round(since + holdMs - now));
}

/** What comes next, in words. @param rejected why it should be given up, where rolling back is left to the operator */
export function describeNext(canary: Canary, rejected: string | null, now: number): string {
  const { plan, isLate } = canary;
  if (rejected !== null) return 'it was rejected: `handover abort` gives it up, `handover promote` keeps it';
  if (!plan.isJudged) return 'nothing by itself: `handover promote` keeps it, `handover abort` ends it';
  const leftMs = leftOf(canary, now);
  if (leftMs === null) return 'nothing by itself: `handover canary <share>`, `handover promote` or `handover abort`';
  const then = describeStep(plan, canary.step + 1);
  if (isLate) return `${then}, as soon as it has answered ${plan.minRequests} requests and is not worse`;
  return `${then} in ${showSeconds(leftMs)}, if it is not worse`;
}

function describeStep({ steps }: CanaryPlan, step: number): string {
  const share = steps[step];
  return share === undefined ? 'all' : showShare(share);
}

function showSeconds(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
