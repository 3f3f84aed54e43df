import { GENERATION } from '../../options/fields.ts';
import { Option } from '../commander.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { count, showMs } from '../print.ts';
import { giveOrder } from '../progress.ts';
import { invalid } from '../release-flags.ts';
import type { Command } from './command.ts';

export const rollback: Command = {
  name: 'rollback',
  operands: [],
  about: 'Make the previous generation active again, at once: it was kept warm, so nothing is started.',
  details: `The generation that was active becomes the standby, so a second rollback goes forward again.

With --to, any generation of \`handover history\` whose files still exist: the standby at once, another one started
again like a reload, from the same files, with the same environment and with all checks.`,
  flags: () => [
    new Option('--to <generation>', 'Go back to this generation of the history.').argParser(readGeneration),
    new Option('--supersede', 'Give up a candidate that is still starting.'),
    ...createPlaceFlags()
  ],
  async run({ flags }, io) {
    const { to: wanted } = flags as { readonly to?: number };
    const supersede = flags.supersede === true ? { supersede: true } : {};
    // In place no standby is kept: then a rollback without a generation starts the version before, too.
    let started = false;
    const done = await giveOrder(await findSupervisor(flags), io, {
      order: (client) => client.rollback({ ...(wanted === undefined ? {} : { to: wanted }), ...supersede }),
      last: ({ event }) => {
        started ||= event === 'starting';
        return event === 'paused' || event === 'failed';
      },
      quiet: flags.json === true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    const { from, to, tookMs, handedOver, closed } = done;
    const gone = closed ? ` Closed, since it does not listen there: ${closed.join(', ')}.` : '';
    const moved = `${count(handedOver, 'connection')} moved`;
    const source = wanted === undefined ? 'the version before' : `generation ${wanted}`;
    const again = started || (wanted ?? to) !== to ? `, which is ${source} started again` : '';
    const standby = again === '' ? `; generation ${from} is the standby` : '';
    io.out(`Rolled back to generation ${to}${again} in ${showMs(tookMs)}; ${moved}${standby}.${gone}`);
  }
};

function readGeneration(given: string): number {
  const generation = GENERATION.read(given);
  if (generation !== undefined) return generation;
  throw invalid('--to', `it must be ${GENERATION.wants}, and it is ${JSON.stringify(given)}`);
}
