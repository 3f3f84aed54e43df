import { existsSync } from 'node:fs';
import type { ReloadDone } from '../../control/routes.ts';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import { summarize } from '../ci-summary.ts';
import { showLeft } from '../connections.ts';
import { findSupervisor, placeOf, type SupervisorFlags } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { count, describeChange, showMs, showShare } from '../print.ts';
import { giveOrder } from '../progress.ts';
import { createReleaseFlags, createReloadFlags, readRelease } from '../release-flags.ts';
import type { Command } from './command.ts';

export const reload: Command = {
  name: 'reload',
  operands: ['[entry]'],
  about: 'Hand over to a new generation: of the version that is on disk now, or of another entry from now on.',
  details: `The config is read anew, and what it says holds for the new generation. Entry, folder, environment, binary, its options and
arguments (after \`--\`) that are given here stand above it from now on, until they are given again:

  handover reload ./releases/43/server.js
  handover reload --cwd ./current --env-file .env --wait
  handover reload server.js -- --app-flag 1

Returns when the new generation is active and the old one has stopped accepting, with --wait after the verdict.
If it fails, the old generation is active (exit code 1).`,
  common: [
    '--cwd',
    '--env',
    '--env-file',
    '--label',
    '--supersede',
    '--wait',
    '--canary',
    '--name',
    '--socket',
    '--json'
  ],
  flags: () => [...createReleaseFlags(), ...createReloadFlags(), ...createPlaceFlags()],
  async run(given, io) {
    const { flags } = given;
    const read = readRelease(given, logicalCwd());
    const { splitName, place } = findSplitName(read.split !== undefined, flags);
    const order = { ...read, ...splitName };
    const end = order.wait ? 'verdict' : 'paused';
    const give = (socket: string) =>
      giveOrder(socket, io, {
        order: (client) => client.reload(order),
        last: ({ event }) => event === end || event === 'failed' || (event === 'canary' && !order.wait),
        quiet: flags.json === true
      });
    const done = await summarize(() => findSupervisor(place), give);
    if (done.verdict?.decision === 'roll back') throw notKept(done, done.verdict.reason);
    io.out(flags.json ? JSON.stringify(done) : showDone(done));
  }
};

/** With a split, `--name` is its name, unless a service is called so. */
function findSplitName(isSplit: boolean, { name, ...flags }: SupervisorFlags) {
  const isApp = name !== undefined && existsSync(placeOf({ name }) ?? '');
  return isSplit && name !== undefined && !isApp
    ? { splitName: { splitName: name }, place: flags }
    : { splitName: {}, place: name === undefined ? flags : { ...flags, name } };
}

function showDone(reload: ReloadDone): string {
  const { from, to, bootMs, cutoverMs, handedOver, connections, gapMs, verdict, closed, config, canary } = reload;
  if (canary) {
    const answers = `Generation ${to} answers ${showShare(canary.share)} beside generation ${from}: ready in ${showMs(bootMs)}.`;
    return [answers, ...(config ? describeChange(config) : []), `Next: ${canary.next}.`].join('\n');
  }
  const gap = gapMs === undefined ? '' : `, nobody served for ${showMs(gapMs)}`;
  const times = `ready in ${showMs(bootMs)}, cutover ${showMs(cutoverMs)}${gap}`;
  const gone = closed ? ` Closed, since it does not listen there: ${closed.join(', ')}.` : '';
  const left = showLeft(connections, ['http1']);
  const others = left === '' ? '' : ` ${left}.`;
  const done = `Handed over from generation ${from} to ${to}: ${times}, ${count(handedOver, 'connection')} moved.${others}${gone}`;
  const lines = [done, ...(config ? describeChange(config) : []), ...(verdict ? [showVerdict(verdict)] : [])];
  return lines.join('\n');
}

function showVerdict({ decision, reason }: NonNullable<ReloadDone['verdict']>): string {
  return decision === 'keep unseen' ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.` : `Kept: ${reason}.`;
}

/** The verdict was against it, and rolling back was left to the operator. */
function notKept({ from, to }: ReloadDone, why: string): HandoverError {
  const what = `Generation ${to} should be rolled back`;
  const fix = `Do it with \`handover abort\`, to generation ${from}, or keep it with \`handover promote\`; generation ${to} is active`;
  return new HandoverError('HANDOVER_ERR_CANDIDATE_REJECTED', { what, why, fix }, { active: to });
}
