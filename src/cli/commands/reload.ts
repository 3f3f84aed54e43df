import { resolve } from 'node:path';
import { logicalCwd } from '../../cwd.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { count, showMs } from '../print.ts';
import { giveOrder } from '../progress.ts';
import type { Command } from './command.ts';

export const reload: Command = {
  name: 'reload',
  operands: ['[entry]'],
  about: 'Hand over to a new generation: of the version that is on disk now, or of another entry from now on.',
  details:
    'Returns when the new generation is active and the old one has stopped accepting.\nIf it fails, the old generation is still active and was never touched (exit code 1).',
  flags: createPlaceFlags,
  async run({ flags, entry }, io) {
    const socket = await findSupervisor(flags);
    // The supervisor may live in another folder: what the operator wrote is meant from here.
    const path = entry === null ? undefined : resolve(logicalCwd(), entry);
    const done = await giveOrder(socket, io, {
      order: (client) => client.reload(path),
      last: ({ event }) => event === 'paused' || event === 'failed',
      quiet: flags.json === true
    });
    if (flags.json) return io.out(JSON.stringify(done));
    const { from, to, bootMs, cutoverMs, handedOver } = done;
    const times = `ready in ${showMs(bootMs)}, cutover ${showMs(cutoverMs)}`;
    io.out(`Handed over from generation ${from} to ${to}: ${times}, ${count(handedOver, 'connection')} moved.`);
  }
};
