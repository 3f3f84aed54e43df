import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../control/client.ts';
import type { Status } from '../../core/status.ts';
import { HandoverError } from '../../errors.ts';
import { findSupervisor } from '../find.ts';
import { createPlaceFlags } from '../flags.ts';
import { showMs } from '../print.ts';
import { giveOrder } from '../progress.ts';
import type { Command } from './command.ts';

/** How long a supervisor that has answered may take to remove its socket. */
const SOCKET_GONE_MS = 5_000;
/** How long its process may take to end after that. One that lives in a program of its own goes on. */
const PROCESS_GONE_MS = 2_000;
const LOOK_MS = 5;

export const stop: Command = {
  name: 'stop',
  operands: [],
  about: 'Stop gracefully: pause, finish what is in flight, end every worker and the supervisor.',
  details: 'Returns when the supervisor has gone and its control socket is removed.',
  flags: createPlaceFlags,
  async run({ flags }, io) {
    const startedAt = performance.now();
    const socket = await findSupervisor(flags);
    const { app, supervisor } = await askStatus(socket);
    let stopped = false;
    await giveOrder(socket, io, {
      order: (client) =>
        client.stop().catch(async (error) => {
          // A supervisor that ends in the middle of its answer has done what it was asked.
          if (!isBroken(error) || !(stopped || (await waitUntil(() => !existsSync(socket), PROCESS_GONE_MS))))
            throw error;
        }),
      last: ({ event }) => {
        stopped ||= event === 'stopped';
        return event === 'stopped';
      },
      quiet: flags.json === true
    });
    if (!(await waitUntil(() => !existsSync(socket), SOCKET_GONE_MS))) throw leftBehind(socket);
    await waitUntil(() => !isAlive(supervisor.pid), PROCESS_GONE_MS);
    const tookMs = Math.round(performance.now() - startedAt);
    if (flags.json) return io.out(JSON.stringify({ ok: true, app, pid: supervisor.pid, tookMs }));
    io.out(`Stopped ${app} (pid ${supervisor.pid}) in ${showMs(tookMs)}.`);
  }
};

async function askStatus(socket: string): Promise<Status> {
  const client = new ControlClient(socket);
  try {
    return await client.status();
  } finally {
    await client.close();
  }
}

function isBroken(error: unknown): boolean {
  return HandoverError.is(error) && error.code === 'HANDOVER_ERR_CONTROL_UNREACHABLE';
}

function leftBehind(socket: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_CONTROL_SOCKET', {
    what: `The supervisor has stopped, but ${socket} is still there`,
    why: `it was not removed within ${SOCKET_GONE_MS} ms`,
    fix: 'Look whether another supervisor was started meanwhile (`handover list`); if none was, remove the file'
  });
}

/** @returns whether it was so in time */
async function waitUntil(isSo: () => boolean, withinMs: number): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; !isSo(); await delay(LOOK_MS)) {
    if (performance.now() > deadline) return false;
  }
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // no such process, or its number already belongs to somebody else
  }
}
