import { Option } from 'commander';
import { ControlClient } from '../../control/client.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { showStatus } from '../view.ts';
import { watch } from '../watch.ts';
import type { Command } from './command.ts';

export const status: Command = {
  name: 'status',
  operands: [],
  about: 'Show what runs: supervisor, listeners, generations, workers, and who holds what drains.',
  details:
    'With --watch on a terminal, the picture is redrawn until Ctrl-C; elsewhere each change gives one line, or with\n--json one JSON object, until the supervisor ends.',
  flags: () => [...createPlaceFlags(), new Option('--watch', 'Show every change, until the supervisor ends.')],
  async run({ flags }, io) {
    const socket = await findSupervisor(flags);
    if (flags.watch) return watch(socket, io, flags.json === true);
    const client = new ControlClient(socket);
    try {
      const now = await client.status();
      io.out(flags.json ? JSON.stringify(now) : showStatus(now, io.paint));
    } finally {
      await client.close();
    }
  }
};
