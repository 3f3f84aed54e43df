import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { giveOrder } from '../progress.ts';
import type { Command } from './command.ts';

export const promote: Command = {
  name: 'promote',
  operands: [],
  about: 'Keep the new generation now, without waiting for its verdict.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const done = await giveOrder(await findSupervisor(flags), io, {
      order: (client) => client.promote(),
      last: () => true,
      quiet: true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    const { active, standby, reason } = done;
    const back = standby === null ? 'there is no standby' : `generation ${standby} is the standby`;
    io.out(`Generation ${active} is kept: ${reason}; ${back}.`);
  }
};
