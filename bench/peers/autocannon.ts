import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AutocannonReport } from '../load/autocannon.ts';
import { endProcess, firstMessage, startProcess } from '../rig/processes.ts';
import type { SystemResult } from './result.ts';
import type { PeersContext, Session } from './session.ts';

const AUTOCANNON = fileURLToPath(new URL('../load/autocannon.ts', import.meta.url));
const CONNECTIONS = 16;
const SETTLE_MS = 400;
/** autocannon's own bound, and how long it may take to finish what it has under way. */
const BOUND_S = 40;
const RUN_OUT_MS = 12_000;

/** One deploy under autocannon: what it reports, and what it does not report. Null when it never came to an end. */
export async function measureAutocannon(
  session: Session,
  { machine, progress }: PeersContext
): Promise<SystemResult['autocannon']> {
  progress('a deploy under autocannon');
  const args = ['--import', 'tsx', AUTOCANNON, String(session.port), String(CONNECTIONS), String(BOUND_S)];
  const autocannon = startProcess({ args, core: machine.pins?.load ?? null });
  try {
    await firstMessage(autocannon, 'autocannon');
    await delay(SETTLE_MS);
    await session.deploy();
    await delay(SETTLE_MS);
    const answer = once(autocannon, 'message', { signal: AbortSignal.timeout(RUN_OUT_MS) });
    autocannon.send('run out');
    const [{ sent, answered, errors, timeouts, non2xx }] = (await answer) as [AutocannonReport];
    return { sent, answered, errors: errors + timeouts + non2xx };
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return null;
    throw error;
  } finally {
    await endProcess(autocannon);
  }
}
