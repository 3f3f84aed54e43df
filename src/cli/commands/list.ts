import { columns } from '../columns.ts';
import { findRunning, placeOf, type Running } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import type { Command } from './command.ts';

export const list: Command = {
  name: 'list',
  operands: [],
  about: 'Show the supervisors of this user that answer.',
  details: 'Supervisors whose control socket was put elsewhere with --socket are found only by --socket.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const place = placeOf(flags);
    const running = await findRunning(place);
    if (flags.json) return io.out(JSON.stringify({ ok: true, supervisors: running.map(describe) }));
    if (running.length === 0) return io.out('No supervisor runs. Start one with `handover run <entry>`.');
    const head = ['name', 'pid', 'phase', 'active', 'listeners', 'socket'].map((title) => io.paint('dim', title));
    io.out(columns([head, ...running.map((one) => row(describe(one)))], [1, 3]).join('\n'));
  }
};

function describe({ status, socket }: Running) {
  const { app, supervisor, phase, active, listeners } = status;
  return { app, pid: supervisor.pid, phase, active: active?.generation ?? null, listeners, socket };
}

function row({ app, pid, phase, active, listeners, socket }: ReturnType<typeof describe>): string[] {
  const addresses = listeners.map(({ address }) => address).join(', ');
  return [app, String(pid), phase, active === null ? '-' : String(active), addresses || '-', socket];
}
