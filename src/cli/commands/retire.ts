import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { giveOrder } from '../progress.ts';
import type { Command } from './command.ts';

export const retire: Command = {
  name: 'retire',
  operands: [],
  about: 'End the standby now, which gives its memory back: a rollback then has to start it again.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const done = await giveOrder(await findSupervisor(flags), io, {
      order: (client) => client.retire(),
      last: () => true,
      quiet: true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    io.out(`Generation ${done.retired} is retiring; \`handover rollback --to ${done.retired}\` would start it again.`);
  }
};
