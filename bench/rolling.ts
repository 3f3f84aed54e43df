import type { Claim, Context } from './rig/model.ts';
import { BenchService, startPlain, withCleanup } from './rig/service.ts';
import { alternate, median, ratio, spread } from './rig/statistics.ts';

const COUNTS = [1, 2, 4];

/** Milliseconds. */
interface Figures {
  readonly workers: number;
  readonly bare: readonly number[];
  /** From the order until the last worker of the version before had stopped accepting. */
  readonly whole: readonly number[];
  readonly perWorker: readonly number[];
}

/** What each worker adds to a handover that goes worker by worker, beside the bare start of the same app. */
export const rolling: Claim = {
  name: 'rolling',
  claim: `time of a rolling handover per worker, with ${COUNTS.at(-1)} workers`,
  limit: null,
  async run(context) {
    const all: Figures[] = [];
    for (const workers of COUNTS) all.push(await measure(context, workers));
    return {
      value: median(all.at(-1)?.perWorker ?? []),
      unit: 'ms',
      ok: null,
      details: [
        { name: 'plain node, start to listening', value: median(all.flatMap(({ bare }) => bare)), unit: 'ms' },
        ...all.flatMap(({ workers, bare, whole, perWorker }) => [
          { name: `workers: ${workers}, the whole handover`, value: median(whole), unit: 'ms' },
          { name: `workers: ${workers}, per worker`, value: median(perWorker), unit: 'ms' },
          { name: `workers: ${workers}, per worker, middle half`, value: spread(perWorker, 1) },
          {
            name: `workers: ${workers}, per worker / plain node beside it`,
            value: ratio(median(perWorker), median(bare)),
            unit: 'x'
          }
        ])
      ]
    };
  }
};

function measure(context: Context, workers: number): Promise<Figures> {
  return withCleanup(async (keep) => {
    const { quick, progress } = context;
    const service = keep(
      await BenchService.start(context, { pinned: false }, { workers, strategy: 'rolling', bake: 0 })
    );
    const bare: number[] = [];
    const whole: number[] = [];
    const startBare = async () => {
      const plain = await startPlain(context, { pinned: false });
      bare.push(plain.listenMs);
      await plain.end();
    };
    const handOver = async () => {
      const { bootMs, cutoverMs } = await service.control.reload();
      whole.push(bootMs + cutoverMs);
      await service.settled(); // those that leave must not slow what comes next
    };
    const pairs = quick ? 2 : 10;
    for (const pair of alternate(startBare, handOver, pairs)) {
      progress(`${workers} ${workers === 1 ? 'worker' : 'workers'}: handover ${whole.length + 1} of ${pairs}`);
      for (const act of pair) await act();
    }
    return { workers, bare, whole, perWorker: whole.map((ms) => ms / workers) };
  });
}
