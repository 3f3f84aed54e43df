import { ask } from './peers/ask.ts';
import type { Claim, Detail } from './rig/model.ts';
import { BenchService, withCleanup } from './rig/service.ts';
import { alternate, median, quantile, ratio, spread, sum } from './rig/statistics.ts';

/** How long an answer is waited for. */
const ANSWER_TIMEOUT_MS = 15_000;

interface Side {
  readonly service: BenchService;
  readonly crashes: Crash[];
}

interface Crash {
  /** From the kill to the end of the next answer, or null when none came. */
  readonly ms: number | null;
  /** Whether it was the version before that answered. */
  readonly covered: boolean;
  /** Requests that were sent after the kill, before that, and had no answer. */
  readonly lost: number;
}

/** How long nobody answers when the only worker is killed: the standby is there already, a replacement has to boot. */
export const cover: Claim = {
  name: 'cover',
  claim: 'from kill -9 of the only worker to the next answer to a fresh request, with a warm standby',
  limit: null,
  run: (context) =>
    withCleanup(async (keep) => {
      const { quick, progress } = context;
      const start = async (options: object): Promise<Side> => ({
        // Not baking: a crash then would be a reason to roll back.
        service: keep(await BenchService.start(context, { pinned: false }, { bake: 0, ...options })),
        crashes: []
      });
      const covered = await start({});
      const alone = await start({ keepWarm: 0 });
      const pairs = quick ? 4 : 20;
      for (const pair of alternate(covered, alone, pairs)) {
        progress(`crash ${covered.crashes.length + 1} of ${pairs}`);
        for (const side of pair) side.crashes.push(await crash(side));
      }
      const value = median(times(covered));
      return {
        value,
        unit: 'ms',
        ok: null,
        details: [
          ...describe('with a standby', covered),
          ...describe('without one', alone),
          { name: 'without / with', value: ratio(median(times(alone)), value), unit: 'x' }
        ]
      };
    })
};

async function crash({ service, crashes }: Side): Promise<Crash> {
  // A new generation has not lost any worker yet: its first replacement comes at once.
  const version = String(crashes.length + 2);
  service.version = version;
  await service.control.reload();
  await service.settled();
  const pid = await service.workerPid();
  if (pid === 0) throw new Error('the service has no worker to kill');
  let answer: string | null = null;
  let lost = -1;
  const killedAt = performance.now();
  process.kill(pid, 'SIGKILL');
  while (answer === null && performance.now() < killedAt + ANSWER_TIMEOUT_MS) {
    answer = await ask(service.port, ANSWER_TIMEOUT_MS);
    lost += 1;
  }
  const ms = answer === null ? null : performance.now() - killedAt;
  await service.settled();
  return { ms, covered: answer !== null && answer !== version, lost };
}

const times = ({ crashes }: Side) => crashes.map(({ ms }) => ms).filter((ms) => ms !== null);

function describe(title: string, side: Side): Detail[] {
  const { crashes } = side;
  return [
    { name: `${title}: p50`, value: median(times(side)), unit: 'ms' },
    { name: `${title}: middle half`, value: spread(times(side), 1) },
    { name: `${title}: longest`, value: quantile(times(side), 1), unit: 'ms' },
    {
      name: `${title}: answered by the version before`,
      value: `${crashes.filter(({ covered }) => covered).length} of ${crashes.length}`
    },
    { name: `${title}: requests lost`, value: sum(crashes.map(({ lost }) => lost)) }
  ];
}
