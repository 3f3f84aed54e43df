import { setTimeout as delay } from 'node:timers/promises';
import { columns } from '../columns.ts';
import { Option } from '../commander.ts';
import { findOnMachine, findRunning, placeOf, type Running } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { drawOver, type Io } from '../io.ts';
import type { Command } from './command.ts';

/** How often it is looked again with `--watch`. */
const LOOK_MS = 1_000;

interface Listed {
  readonly supervisors: readonly ReturnType<typeof describe>[];
  readonly unreadable: readonly {
    readonly socket: string;
    readonly pid: number;
    readonly uid: number | null;
    readonly why: string;
  }[];
}

export const list: Command = {
  name: 'list',
  operands: [],
  about: 'Show all supervisors of this machine, one line each: also those of others, as far as this user may ask them.',
  details:
    'With --watch it is looked again each second: on a terminal in one picture, elsewhere a list, or with --json an object,\nwhenever something is new, until nobody reads it.',
  flags: () => [...createPlaceFlags(), new Option('--watch', 'Look again each second.')],
  async run({ flags }, io) {
    const look = () => readList(placeOf(flags));
    if (!flags.watch) return io.out(show(await look(), flags.json === true, io));
    await watch(look, flags.json === true, io);
  }
};

async function readList(place: string | null): Promise<Listed> {
  if (place !== null) return { supervisors: (await findRunning(place)).map(describe), unreadable: [] };
  const { running, unreadable } = await findOnMachine();
  return {
    supervisors: running.map(describe),
    unreadable: unreadable.map(({ path, pid, uid, why }) => ({ socket: path, pid, uid, why }))
  };
}

async function watch(look: () => Promise<Listed>, json: boolean, io: Io): Promise<void> {
  const end = new AbortController();
  const leave = () => end.abort();
  io.unread.addEventListener('abort', leave);
  process.once('SIGINT', leave);
  let last = '';
  while (!end.signal.aborted) {
    const shown = show(await look(), json, io);
    if (io.terminal && !json) drawOver(shown, io);
    else if (shown !== last) io.out(shown);
    last = shown;
    // Who has gone away meanwhile ends it; that is no failure.
    await delay(LOOK_MS, undefined, { signal: end.signal }).catch(() => {});
  }
  process.off('SIGINT', leave);
}

function show({ supervisors, unreadable }: Listed, json: boolean, io: Io): string {
  if (json) return JSON.stringify({ ok: true, supervisors, ...(unreadable.length === 0 ? {} : { unreadable }) });
  if (supervisors.length + unreadable.length === 0) return 'No supervisor runs. Start one with `handover run <entry>`.';
  const head = ['name', 'pid', 'phase', 'active', 'listeners', 'socket'].map((title) => io.paint('dim', title));
  const others = unreadable.map(({ socket, pid, why }) => ['-', String(pid), '-', '-', '-', `${socket}: ${why}`]);
  return columns([head, ...supervisors.map(row), ...others], [1, 3]).join('\n');
}

function describe({ status, socket }: Running) {
  const { app, supervisor, phase, active, listeners } = status;
  return { app, pid: supervisor.pid, phase, active: active?.generation ?? null, listeners, socket };
}

function row({ app, pid, phase, active, listeners, socket }: ReturnType<typeof describe>): string[] {
  const addresses = listeners.map(({ address }) => address).join(', ');
  return [app, String(pid), phase, active === null ? '-' : String(active), addresses || '-', socket];
}
