import { ControlClient } from '../../control/client.ts';
import type { HistoryEntryStatus } from '../../core/status.ts';
import { columns } from '../columns.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { firstLine, showMs } from '../print.ts';
import { showTime } from '../view.ts';
import type { Command } from './command.ts';

const HEAD = ['generation', 'label', 'entry', 'started', 'active for', 'requests', 'failed', 'standby', 'outcome'];

export const history: Command = {
  name: 'history',
  operands: [],
  about: 'Show the last 50 generations: what they were, what they served, how they ended and why. The newest is last.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const client = new ControlClient(await findSupervisor(flags));
    try {
      const told = await client.history();
      io.out(flags.json ? JSON.stringify(told) : showHistory(told.history, io.paint));
    } finally {
      await client.close();
    }
  }
};

/** Shows a history to a person: one line for each generation. */
export function showHistory(entries: readonly HistoryEntryStatus[], paint: Io['paint']): string {
  const head = HEAD.map((title) => paint('dim', title));
  return columns([head, ...entries.map(row)], [0, 4, 5, 6, 7]).join('\n');
}

function row(one: HistoryEntryStatus): string[] {
  const { generation, label, entry, startedAt, durationMs, requests, failed, standby, outcome, reason } = one;
  const why = firstLine(reason ?? '');
  return [
    String(generation),
    label ?? '-',
    entry,
    showTime(startedAt),
    durationMs === null ? '-' : showMs(durationMs),
    String(requests ?? '-'),
    String(failed ?? '-'),
    String(standby ?? '-'),
    why === '' ? outcome : `${outcome}: ${why}`
  ];
}
