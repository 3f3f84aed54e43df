import type { Picture } from '../../fleet/observer.ts';
import { Option } from '../commander.ts';
import type { Command } from '../commands/command.ts';
import { drawOver, type Io } from '../io.ts';
import { createFleetFlags } from './fleet-flags.ts';
import { describePicture, showGoal, showMachines } from './fleet-table.ts';
import { openFleet } from './open-fleet.ts';

/** Changes that come together are shown once. */
const TOGETHER_MS = 100;

export const fleetStatus: Command = {
  name: 'status',
  operands: [],
  about: 'Show what the fleet is to run, and each machine that is registered.',
  details:
    'With --watch on a terminal, the picture is redrawn until Ctrl-C; elsewhere it is printed at each change, with --json as one\nobject a line.',
  flags: () => [new Option('--watch', 'Show every change, until nobody reads it.'), ...createFleetFlags()],
  async run({ flags }, io) {
    const fleet = await openFleet(flags);
    const { observer, service } = fleet;
    const json = flags.json === true;
    const show = (picture: Picture) =>
      json
        ? JSON.stringify({ ok: true, ...describePicture(service, picture) })
        : `${showGoal(picture)}\n\n${showMachines(picture, io)}`;
    try {
      if (flags.watch) return await watch((onChange, signal) => observer.follow(onChange, signal), show, json, io);
      await observer.read();
      io.out(show(observer.picture));
    } finally {
      await fleet.close();
    }
  }
};

type Follow = (onChange: (picture: Picture) => void, signal: AbortSignal) => Promise<void>;

async function watch(follow: Follow, show: (picture: Picture) => string, json: boolean, io: Io): Promise<void> {
  const end = new AbortController();
  const leave = () => end.abort();
  io.unread.addEventListener('abort', leave);
  process.once('SIGINT', leave);
  let last = '';
  let timer: NodeJS.Timeout | null = null;
  const print = (picture: Picture) => {
    timer = null;
    const shown = show(picture);
    if (io.terminal && !json) drawOver(shown, io);
    else if (shown !== last) io.out(shown);
    last = shown;
  };
  let latest: Picture | null = null;
  const onChange = (picture: Picture) => {
    latest = picture;
    timer ??= setTimeout(() => latest && print(latest), TOGETHER_MS);
  };
  try {
    await follow(onChange, end.signal);
  } finally {
    if (timer) clearTimeout(timer);
    io.unread.removeEventListener('abort', leave);
    process.off('SIGINT', leave);
  }
}
