import type { Notice } from '../core/state/state.ts';
import type { Goal } from './rules/goal.ts';
import type { DeedResult, MemberState } from './rules/member-state.ts';

/** What is said of a change of what a machine knows. */
export function noticesOf(before: MemberState, after: MemberState): Notice[] {
  return [...ofGoal(before.goal?.doc ?? null, after.goal?.doc ?? null, after), ...ofDeed(before, after)];
}

function ofGoal(before: Goal | null, after: Goal | null, { joined }: MemberState): Notice[] {
  if (!joined || !after || (before?.id === after.id && before.state === after.state)) return [];
  const { release, previous, failed, state } = after;
  const [failure] = failed.slice(-1);
  const reason = failure ? `machine ${failure.machine} failed: ${failure.why}` : `asked by ${after.by.command}`;
  const about = { label: release.label, deploy: after.id, reason };
  if (state === 'stopped' || state === 'aborted' || state === 'paused')
    return [{ level: 'warn', event: 'fleet-stopped', ...about, state }];
  if (state !== 'rolling-back') return [];
  return [{ level: 'warn', event: 'fleet-rolling-back', ...about, to: previous?.label ?? null }];
}

function ofDeed(before: MemberState, after: MemberState): Notice[] {
  const goal = after.goal?.doc ?? before.goal?.doc;
  if (!goal) return [];
  if (after.deed && !before.deed) {
    const { way, from: generation, deploy } = after.deed;
    if (way === 'back') return [];
    return [
      {
        level: 'info',
        event: 'fleet-deploying',
        label: goal.release.label,
        deploy,
        ...(generation === null ? {} : { generation })
      }
    ];
  }
  return [];
}

/** What is said of how a deed came out. */
export function noticeOf(
  deed: NonNullable<MemberState['deed']>,
  result: DeedResult,
  goal: Goal,
  tookMs: number
): Notice {
  const { deploy, way } = deed;
  const label = way === 'back' ? (goal.previous?.label ?? null) : goal.release.label;
  const about = { label, deploy, tookMs: Math.round(tookMs) };
  if (!result.ok) {
    const { code, why: reason } = result;
    return { level: 'error', event: 'fleet-rejected', ...about, code, reason };
  }
  if (way === 'back') return { level: 'info', event: 'fleet-rolled-back', ...about };
  return { level: 'info', event: 'fleet-deployed', ...about };
}
