import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { count, showMs } from '../print.ts';
import { giveOrder } from '../progress.ts';
import type { Command } from './command.ts';

export const rollback: Command = {
  name: 'rollback',
  operands: [],
  about: 'Make the previous generation active again, at once: it was kept warm, so nothing is started.',
  details: 'The generation that was active becomes the standby, so a second rollback goes forward again.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const done = await giveOrder(await findSupervisor(flags), io, {
      order: (client) => client.rollback(),
      last: ({ event }) => event === 'paused' || event === 'failed',
      quiet: flags.json === true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    const { from, to, tookMs, handedOver } = done;
    const moved = `${count(handedOver, 'connection')} moved`;
    io.out(`Rolled back to generation ${to} in ${showMs(tookMs)}; ${moved}; generation ${from} is the standby.`);
  }
};
