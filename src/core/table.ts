import * as canary from './rules/canary.ts';
import * as check from './rules/check.ts';
import * as compare from './rules/compare.ts';
import * as complete from './rules/complete.ts';
import * as cutover from './rules/cutover.ts';
import * as exclusive from './rules/exclusive.ts';
import * as failures from './rules/failures.ts';
import * as refusals from './rules/refusals.ts';
import * as retireStandby from './rules/retire-standby.ts';
import * as rollback from './rules/rollback.ts';
import * as rolling from './rules/rolling.ts';
import { each, ignore, type Row } from './rules/rule.ts';
import * as scale from './rules/scale.ts';
import * as start from './rules/start.ts';
import * as stop from './rules/stop.ts';
import * as withdraw from './rules/withdraw.ts';
import type { Phase } from './state/state.ts';

/** Events that can only matter in the phase `steady`. */
const NOTHING_BAKES = {
  ...each(ignore, 'sampled', 'bake-over', 'step-over', 'scale-overdue', 'all-handed', 'hand-overdue'),
  ...each(ignore, 'reached', 'unreached', 'reach-overdue')
};
const NOTHING_IS_HELD = each(ignore, 'withdraw-over', 'all-quiet', 'quiet-overdue', 'migrated', 'migrate-failed');
/** Whatever a generation says, or does not say in time, comes too late to matter. */
const NOTHING_SERVES = {
  ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
  ...each(ignore, 'worker-lost', 'accept-failed', 'ready-overdue', 'unfit', 'open-overdue', 'pause-overdue'),
  ...each(ignore, 'warm-over'),
  ...NOTHING_IS_HELD,
  ...NOTHING_BAKES
};

/**
 * The whole handover: what happens if this event arrives in that phase.
 *
 * `tsc` refuses an empty cell. `ignore` is an answer too: the event means nothing there.
 */
export const table: { readonly [P in Phase]: Row<P> } = {
  booting: {
    ...each(refusals.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(refusals.refuseBusy, 'promote-asked', 'abort-asked'),
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    'all-ready': check.checkFirst,
    proven: check.acceptChecked,
    'all-accepting': cutover.becomeSteady,
    ...each(failures.failBoot, 'worker-lost', 'accept-failed', 'ready-overdue', 'unfit'),
    ...each(failures.failBoot, 'check-failed', 'check-overdue', 'open-overdue'),
    ...each(ignore, 'all-paused', 'pause-overdue', 'warm-over'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  steady: {
    'boot-asked': refusals.refuseBusy,
    'reload-asked': start.startCandidate,
    'rollback-asked': rollback.rollBack,
    'promote-asked': compare.promote,
    'abort-asked': rollback.abortBake,
    'retire-asked': retireStandby.retireNow,
    'scale-asked': scale.scale,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    sampled: compare.compare,
    'check-failed': compare.rejectFailing,
    'bake-over': compare.decide,
    ...each(complete.markHanded, 'all-handed', 'hand-overdue'),
    reached: complete.markReached,
    ...each(rollback.rejectUnreached, 'unreached', 'reach-overdue'),
    'warm-over': cutover.retireStandby,
    'scale-overdue': scale.scaleLate,
    ...each(ignore, 'step-over', 'all-ready', 'proven', 'check-overdue', 'all-accepting', 'all-paused', 'worker-lost'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'unfit', 'open-overdue', 'pause-overdue'),
    ...NOTHING_IS_HELD
  },
  starting: {
    ...each(refusals.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeOrRefuse,
    'abort-asked': rollback.abortCandidate,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    'all-ready': check.checkOrOpen,
    ...each(failures.giveUpCandidate, 'worker-lost', 'ready-overdue', 'unfit'),
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'open-overdue', 'pause-overdue'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  checking: {
    ...each(refusals.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeOrRefuse,
    'abort-asked': rollback.abortCandidate,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    proven: check.openChecked,
    ...each(failures.giveUpCandidate, 'worker-lost', 'check-failed', 'check-overdue'),
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'ready-overdue', 'unfit', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'open-overdue', 'pause-overdue'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  withdrawing: {
    ...each(refusals.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeOrRefuse,
    'abort-asked': rollback.abortCandidate,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    'withdraw-over': withdraw.endWithdrawing,
    'worker-lost': failures.giveUpCandidate,
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'ready-overdue', 'unfit'),
    ...each(ignore, 'all-accepting', 'all-paused', 'accept-failed', 'open-overdue', 'pause-overdue'),
    ...each(ignore, 'all-quiet', 'quiet-overdue', 'migrated', 'migrate-failed'),
    ...NOTHING_BAKES
  },
  quieting: {
    ...each(refusals.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    'promote-asked': refusals.refuseBusy,
    'abort-asked': rollback.abortNext,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    'all-quiet': exclusive.migrate,
    ...each(failures.giveUpNext, 'worker-lost', 'quiet-overdue'),
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'unfit', 'open-overdue', 'pause-overdue'),
    ...each(ignore, 'withdraw-over', 'migrated', 'migrate-failed'),
    ...NOTHING_BAKES
  },
  migrating: {
    ...each(refusals.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    'promote-asked': refusals.refuseBusy,
    'abort-asked': rollback.abortMigrating,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    migrated: exclusive.openMigrated,
    'worker-lost': exclusive.failMigrating,
    'migrate-failed': exclusive.giveUpMigrating,
    'open-overdue': failures.giveUpNext,
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'unfit', 'pause-overdue', 'all-quiet', 'quiet-overdue'),
    'withdraw-over': ignore,
    ...NOTHING_BAKES
  },
  // Both answer. A worker of the next generation that is lost is replaced, and counts against it.
  canary: {
    ...each(refusals.refuseBusy, 'boot-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': canary.supersedeCanary,
    'rollback-asked': canary.rollBackCanary,
    'promote-asked': canary.promoteCanary,
    'abort-asked': canary.abortCanary,
    'share-asked': canary.setShare,
    'stop-asked': stop.stop,
    sampled: canary.compareShares,
    'step-over': canary.endStep,
    'check-failed': canary.rejectFailingCanary,
    unfit: failures.giveUpNext,
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-overdue', 'all-accepting', 'all-paused', 'worker-lost'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'open-overdue', 'pause-overdue'),
    ...each(ignore, 'bake-over', 'scale-overdue', 'all-handed', 'hand-overdue'),
    ...each(ignore, 'reached', 'unreached', 'reach-overdue'),
    ...NOTHING_IS_HELD
  },
  opening: {
    ...each(refusals.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(refusals.refuseBusy, 'promote-asked', 'abort-asked'),
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    'all-accepting': cutover.cutOver,
    ...each(failures.giveUpNext, 'worker-lost', 'accept-failed', 'open-overdue'),
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue'),
    ...each(ignore, 'ready-overdue', 'unfit', 'all-paused', 'pause-overdue'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  // What comes next depends on each worker: see reconcileRoll.
  rolling: {
    ...each(refusals.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeRolling,
    'abort-asked': rollback.abortNext,
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    ...each(failures.giveUpNext, 'worker-lost', 'accept-failed', 'ready-overdue', 'unfit'),
    ...each(failures.giveUpNext, 'check-failed', 'check-overdue', 'open-overdue'),
    'pause-overdue': rolling.continueUnpaused,
    'warm-over': cutover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'all-accepting', 'all-paused'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  pausing: {
    ...each(refusals.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(refusals.refuseBusy, 'promote-asked', 'abort-asked'),
    'share-asked': canary.refuseNoCanary,
    'stop-asked': stop.stop,
    'all-paused': cutover.keepWarm,
    'pause-overdue': cutover.keepWarmUnpaused,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'worker-lost'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'unfit', 'open-overdue', 'warm-over'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  stopping: {
    ...each(refusals.refuseStopping, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(refusals.refuseStopping, 'promote-asked', 'abort-asked'),
    'share-asked': refusals.refuseStopping,
    'stop-asked': stop.joinStop,
    ...NOTHING_SERVES
  },
  stopped: {
    'boot-asked': start.boot,
    ...each(refusals.refuseStopping, 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(refusals.refuseStopping, 'promote-asked', 'abort-asked'),
    'share-asked': refusals.refuseStopping,
    'stop-asked': stop.answerStopped,
    ...NOTHING_SERVES
  }
};
