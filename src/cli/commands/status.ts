import { ControlClient } from '../../control/client.ts';
import type { Status } from '../../core/status.ts';
import { Option } from '../commander.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { showStatus } from '../view.ts';
import { watch } from '../watch.ts';
import type { Command } from './command.ts';

/** Whether the active version answers for the service, and not only the one before it, or nobody. */
function isServing({ active }: Status): boolean {
  return active?.workers.some(({ state }) => state === 'accepting') === true;
}

export const status: Command = {
  name: 'status',
  operands: [],
  about: 'Show what runs: supervisor, listeners, generations, workers, and who holds what drains.',
  details:
    'With --watch on a terminal, the picture is redrawn until Ctrl-C; elsewhere each change gives one line, or with\n--json one JSON object, until the supervisor ends.',
  flags: () => [
    ...createPlaceFlags(),
    new Option('--watch', 'Show every change, until the supervisor ends.'),
    new Option('--exit-code', 'Exit with 1 unless a worker of the active version accepts: for a health check.')
  ],
  async run({ flags }, io) {
    const socket = await findSupervisor(flags);
    if (flags.watch) return watch(socket, io, flags.json === true);
    const client = new ControlClient(socket);
    try {
      const now = await client.status();
      if (flags.exitCode && !isServing(now)) process.exitCode = 1;
      io.out(flags.json ? JSON.stringify(now) : showStatus(now, io.paint));
    } finally {
      await client.close();
    }
  }
};
