import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../../src/control/client.ts';
import type { System } from '../model.ts';
import { APP } from '../sandbox.ts';
import { CANARY_MS, CANARY_NOTE, CANARY_PERCENT } from './canary.ts';

// This project: `handover run --listen <port> app.mjs`, deployed and rolled back over its control socket; with one worker
// and with two, by each strategy. Everything else is its default but the drain budget, which is everybody's.

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
export const STRATEGIES = ['blue-green', 'rolling', 'in-place', 'exclusive'] as const;
type Strategy = (typeof STRATEGIES)[number];

const MEMORY = 'Memory at rest is that of two versions: the one before is kept warm.';
const NOTES: Readonly<Record<Strategy, string>> = {
  'blue-green': 'The default: a whole new generation beside the old one, and one cutover.',
  rolling: 'Worker by worker.',
  'in-place': 'For machines without room for two versions: connections wait while the next version starts.',
  exclusive: 'For versions that must never serve at the same time: connections wait at the cutover.'
};

function system(strategy: Strategy, workers: number, isCanary = false): System {
  const suffix = workers === 1 ? '' : `-${workers}`;
  const way = isCanary ? 'canary' : strategy;
  return {
    id: `handover${way === 'blue-green' ? '' : `-${way}`}${suffix}`,
    ...(way !== 'blue-green' && { steadyAs: `handover${suffix}` }),
    name: `handover, ${way}, ${workers === 1 ? 'one worker' : `${workers} workers`}`,
    note: isCanary ? CANARY_NOTE : strategy === 'in-place' ? NOTES[strategy] : `${NOTES[strategy]} ${MEMORY}`,
    rollbackNote:
      strategy === 'in-place'
        ? 'Nothing is kept warm: the version before is started again.'
        : 'The version before was kept warm: nothing is started.',
    deathNote: 'The supervisor is killed: its workers serve on, and the next one takes them over. Nothing is started.',
    file: import.meta.url,
    missing() {
      return existsSync(CLI) ? null : { why: 'it is not built', install: 'npm run build' };
    },
    async start(sandbox) {
      const socket = sandbox.path('control.sock');
      const flags = ['--listen', `127.0.0.1:${sandbox.port}`, '--name', 'peers', '--socket', socket];
      const more = ['--workers', String(workers), '--drain-timeout', `${sandbox.drainMs}ms`];
      const chosen = ['--strategy', strategy];
      const startSupervisor = async () => {
        const args = [CLI, 'run', ...flags, ...more, ...chosen, APP];
        const started = sandbox.start(sandbox.node, args, { env: sandbox.env });
        await sandbox.waitForAnswer(sandbox.port, started);
        return started;
      };
      let supervisor = await startSupervisor();
      const control = new ControlClient(socket);
      sandbox.atEnd(() => control.close());
      return {
        async deploy() {
          if (!isCanary) return void (await control.reload());
          await control.reload({ canary: `${CANARY_PERCENT}%` });
          await delay(CANARY_MS);
          await control.promote();
        },
        async rollback() {
          await control.rollback();
        },
        roots: () => [supervisor.pid],
        owner: () => supervisor.pid,
        async startAgain() {
          supervisor = await startSupervisor();
        }
      };
    }
  };
}

export const handover: readonly System[] = [
  ...[1, 2].flatMap((workers) => STRATEGIES.map((strategy) => system(strategy, workers))),
  system('blue-green', 1, true)
];
