import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { giveOrder } from '../progress.ts';
import type { Command } from './command.ts';

export const abort: Command = {
  name: 'abort',
  operands: [],
  about: 'Give up the new generation now, without waiting for its verdict: back to the one before.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const done = await giveOrder(await findSupervisor(flags), io, {
      order: (client) => client.abort(),
      last: ({ event }) => event === 'paused' || event === 'failed',
      quiet: flags.json === true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    io.out(`Generation ${done.abandoned} is given up: ${done.reason}; generation ${done.active} is active.`);
  }
};
