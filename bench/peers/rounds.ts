import { setTimeout as delay } from 'node:timers/promises';
import { type Report, startLoad } from '../client/index.ts';
import type { System } from './model.ts';
import { type PeersContext, Session, type Switched } from './session.ts';

/** The same requests for every system: what differs from round to round is the seed. */
const SEED = 20_240;
const BUSY_PAUSE_MS = 2;
/** How long it is looked on after the grace time: every kind of client has sent something by then. */
const AFTER_GRACE_MS = 800;

/** One round of the strict client on one system. */
export interface Round {
  readonly report: Report;
  readonly deployMs: readonly (number | null)[];
  readonly rollbackMs: readonly (number | null)[];
  /** Whether every order was carried out. */
  readonly complete: boolean;
  readonly troubles: readonly string[];
}

/** Starts a system, deploys under the strict client, rolls back once, and counts. */
export async function runRound(system: System, round: number, context: PeersContext): Promise<Round> {
  const { settings, progress } = context;
  const { deploys, graceMs } = settings;
  const pauseMs = round === 1 ? Math.max(settings.pauseMs, graceMs + AFTER_GRACE_MS) : settings.pauseMs;
  const session = await Session.start(system, context);
  const load = startLoad({
    target: { host: '127.0.0.1', port: session.port },
    clients: settings.clients,
    requestTimeoutMs: settings.requestTimeoutMs,
    busyPauseMs: BUSY_PAUSE_MS,
    seed: SEED + round
  });
  const deployMs: (number | null)[] = [];
  const rollbackMs: (number | null)[] = [];
  const troubles: string[] = [];
  const act = async (what: string, into: (number | null)[], turn: () => Promise<Switched>) => {
    progress(`round ${round}: ${what}`);
    load.mark(what);
    load.expectAnyVersion();
    try {
      const { tookMs } = await turn();
      if (tookMs === null) troubles.push(`${what}: the new version did not answer when the system called it done`);
      into.push(tookMs);
    } catch (error) {
      troubles.push(`${what}: ${error instanceof Error ? error.message : error}`);
    }
    await delay(pauseMs);
  };
  const expect = (version: string) => load.expectVersion(version, { graceMs });
  try {
    await load.warm();
    load.expectVersion('1');
    await delay(settings.pauseMs);
    for (let turn = 1; turn <= deploys; turn += 1) {
      await act('deploy', deployMs, () => session.deploy(expect));
    }
    await act('rollback', rollbackMs, () => session.rollback(expect));
  } catch (error) {
    troubles.push(String(error));
  } finally {
    await load.stop();
    await session.end();
  }
  const report = await load.stop();
  const complete = report.answered > 0 && deployMs.length === deploys && rollbackMs.length === 1;
  return { report, deployMs, rollbackMs, complete, troubles };
}
