import { readInteger } from '../../options/readers.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { count } from '../print.ts';
import { giveOrder } from '../progress.ts';
import { invalid } from '../release-flags.ts';
import type { Command } from './command.ts';

export const scale: Command = {
  name: 'scale',
  operands: ['<workers>'],
  about: 'More or fewer workers of the active generation; connections of those that leave move to those that stay.',
  flags: createPlaceFlags,
  async run({ flags, entry: given }, io) {
    const workers = readInteger(1, 128)(given);
    if (workers === undefined)
      throw invalid('<workers>', `it must be an integer from 1 to 128, and it is ${JSON.stringify(given)}`);
    const done = await giveOrder(await findSupervisor(flags), io, {
      order: (client) => client.scale(workers),
      last: () => true,
      quiet: true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    io.out(`Generation ${done.active} has ${count(done.to, 'worker')} now; it had ${done.from}.`);
  }
};
