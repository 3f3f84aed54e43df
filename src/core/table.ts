import type { Phase } from './model.ts';
import * as answers from './rules/answers.ts';
import * as back from './rules/back.ts';
import * as bake from './rules/bake.ts';
import * as exclusive from './rules/exclusive.ts';
import * as handover from './rules/handover.ts';
import * as outcome from './rules/outcome.ts';
import * as prove from './rules/prove.ts';
import * as roll from './rules/roll.ts';
import { each, ignore, type Row } from './rules/rule.ts';
import * as settle from './rules/settle.ts';
import * as start from './rules/start.ts';
import * as stop from './rules/stop.ts';
import * as upkeep from './rules/upkeep.ts';

/** News that belongs to the time after a cutover. */
const NOTHING_BAKES = each(ignore, 'sampled', 'bake-over', 'scale-overdue', 'all-handed', 'hand-overdue');
const NOTHING_IS_HELD = each(ignore, 'all-quiet', 'quiet-overdue', 'migrated', 'migrate-failed');

/**
 * The whole handover: what happens if this event arrives in that phase.
 *
 * `tsc` refuses an empty cell. `ignore` is an answer too: the event means nothing there.
 */
export const table: { readonly [P in Phase]: Row<P> } = {
  booting: {
    ...each(answers.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(answers.refuseBusy, 'promote-asked', 'abort-asked'),
    'stop-asked': stop.stop,
    'all-ready': prove.proveFirst,
    proven: prove.acceptProven,
    'all-accepting': handover.becomeSteady,
    ...each(outcome.failBoot, 'worker-lost', 'accept-failed', 'ready-overdue'),
    ...each(outcome.failBoot, 'check-failed', 'check-overdue', 'open-overdue'),
    ...each(ignore, 'all-paused', 'pause-overdue', 'warm-over'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  steady: {
    'boot-asked': answers.refuseBusy,
    'reload-asked': start.startCandidate,
    'rollback-asked': back.rollBack,
    'promote-asked': bake.promote,
    'abort-asked': back.abortBake,
    'retire-asked': upkeep.retireNow,
    'scale-asked': upkeep.scale,
    'stop-asked': stop.stop,
    sampled: bake.compare,
    'check-failed': bake.rejectFailing,
    'bake-over': bake.decide,
    ...each(settle.settle, 'all-handed', 'hand-overdue'),
    'warm-over': handover.retireStandby,
    'scale-overdue': upkeep.scaleLate,
    ...each(ignore, 'all-ready', 'proven', 'check-overdue', 'all-accepting', 'all-paused', 'worker-lost'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'open-overdue', 'pause-overdue'),
    ...NOTHING_IS_HELD
  },
  starting: {
    ...each(answers.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeOrRefuse,
    'abort-asked': back.abortCandidate,
    'stop-asked': stop.stop,
    'all-ready': prove.checkOrOpen,
    ...each(outcome.giveUpCandidate, 'worker-lost', 'ready-overdue'),
    'warm-over': handover.retireStandby,
    ...each(ignore, 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'open-overdue', 'pause-overdue'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  checking: {
    ...each(answers.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeOrRefuse,
    'abort-asked': back.abortCandidate,
    'stop-asked': stop.stop,
    proven: prove.openProven,
    ...each(outcome.giveUpCandidate, 'worker-lost', 'check-failed', 'check-overdue'),
    'warm-over': handover.retireStandby,
    ...each(ignore, 'all-ready', 'ready-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'open-overdue', 'pause-overdue'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  quieting: {
    ...each(answers.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    'promote-asked': answers.refuseBusy,
    'abort-asked': back.abortNext,
    'stop-asked': stop.stop,
    'all-quiet': exclusive.migrate,
    ...each(outcome.giveUpNext, 'worker-lost', 'quiet-overdue'),
    'warm-over': handover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'open-overdue', 'pause-overdue'),
    ...each(ignore, 'migrated', 'migrate-failed'),
    ...NOTHING_BAKES
  },
  migrating: {
    ...each(answers.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    'promote-asked': answers.refuseBusy,
    'abort-asked': back.abortMigrating,
    'stop-asked': stop.stop,
    migrated: exclusive.openMigrated,
    'worker-lost': exclusive.failMigrating,
    'migrate-failed': exclusive.giveUpMigrating,
    'open-overdue': outcome.giveUpNext,
    'warm-over': handover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'pause-overdue', 'all-quiet', 'quiet-overdue'),
    ...NOTHING_BAKES
  },
  opening: {
    ...each(answers.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(answers.refuseBusy, 'promote-asked', 'abort-asked'),
    'stop-asked': stop.stop,
    'all-accepting': handover.cutOver,
    ...each(outcome.giveUpNext, 'worker-lost', 'accept-failed', 'open-overdue'),
    'warm-over': handover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue'),
    ...each(ignore, 'ready-overdue', 'all-paused', 'pause-overdue'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  // How far each worker is decides what comes next: see reconcileRoll.
  rolling: {
    ...each(answers.refuseBusy, 'boot-asked', 'rollback-asked', 'promote-asked', 'retire-asked', 'scale-asked'),
    'reload-asked': start.supersedeRolling,
    'abort-asked': back.abortNext,
    'stop-asked': stop.stop,
    ...each(outcome.giveUpNext, 'worker-lost', 'accept-failed', 'ready-overdue'),
    ...each(outcome.giveUpNext, 'check-failed', 'check-overdue', 'open-overdue'),
    'pause-overdue': roll.goOnUnpaused,
    'warm-over': handover.retireStandby,
    ...each(ignore, 'all-ready', 'proven', 'all-accepting', 'all-paused'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  pausing: {
    ...each(answers.refuseBusy, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(answers.refuseBusy, 'promote-asked', 'abort-asked'),
    'stop-asked': stop.stop,
    'all-paused': handover.keepWarm,
    'pause-overdue': handover.keepWarmUnpaused,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'worker-lost'),
    ...each(ignore, 'accept-failed', 'ready-overdue', 'open-overdue', 'warm-over'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  stopping: {
    ...each(answers.refuseStopping, 'boot-asked', 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(answers.refuseStopping, 'promote-asked', 'abort-asked'),
    'stop-asked': stop.joinStop,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'worker-lost', 'accept-failed', 'ready-overdue', 'open-overdue', 'pause-overdue', 'warm-over'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  },
  stopped: {
    'boot-asked': start.boot,
    ...each(answers.refuseStopping, 'reload-asked', 'rollback-asked', 'retire-asked', 'scale-asked'),
    ...each(answers.refuseStopping, 'promote-asked', 'abort-asked'),
    'stop-asked': stop.answerStopped,
    ...each(ignore, 'all-ready', 'proven', 'check-failed', 'check-overdue', 'all-accepting', 'all-paused'),
    ...each(ignore, 'worker-lost', 'accept-failed', 'ready-overdue', 'open-overdue', 'pause-overdue', 'warm-over'),
    ...NOTHING_IS_HELD,
    ...NOTHING_BAKES
  }
};
