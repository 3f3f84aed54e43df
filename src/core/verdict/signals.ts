/** A signal of the verdict; docs/checks-and-verdict.md says what each one measures. */
export type SignalName =
  | 'exits'
  | 'hangs'
  | 'errors'
  | 'refused'
  | 'cut'
  | 'p50'
  | 'p99'
  | 'cpu'
  | 'loopDelay'
  | 'uncaught'
  | 'memory';

/** How a signal is measured: occurrences, a share of requests, a percentile of their latency, or one number. */
export type SignalKind = 'count' | 'share' | 'percentile' | 'level';

/** When a signal is too bad: `ratio` and `floor` both have to be reached. */
export interface Limit {
  /** At least this many times what it was before the cutover. */
  readonly ratio: number;
  /** And at least this much above it, in the unit of the signal. */
  readonly floor: number;
  /** Or at least this many times what it was, whatever the floor; null = the floor always holds. */
  readonly outright: number | null;
  /** Fewest requests to judge by: after the cutover, and before it to compare with. */
  readonly requests: number;
  /** Fewest requests that have to be bad. */
  readonly least: number;
  /** What is too much where there is nothing to compare with; null = not judged then. */
  readonly absolute: number | null;
  /** Time after the cutover that is left out: a new process is slow, and grows, at first. */
  readonly afterMs: number;
}

/** One limit for each signal; null = switched off. */
export type BakeLimits = { readonly [S in SignalName]: Limit | null };

export type Unit = 'times' | 'share' | 'ms' | 'bytes per minute';

interface Signal {
  readonly kind: SignalKind;
  readonly unit: Unit;
  /** Its name in texts. */
  readonly title: string;
  readonly about: string;
  /** The reason for the default. */
  readonly because: string;
  /** The default. */
  readonly limit: Limit;
}

function signal(
  kind: SignalKind,
  unit: Unit,
  title: string,
  about: string,
  because: string,
  limit: Partial<Limit>
): Signal {
  const standard = { ratio: 2, floor: 1, outright: null, requests: 0, least: 0, absolute: null, afterMs: 0 };
  return { kind, unit, title, about, because, limit: { ...standard, ...limit } };
}

export const MIB = 2 ** 20;

const LATENCY = { floor: 5, outright: 10, requests: 20, afterMs: 1_000 } as const;
const LATENCY_BECAUSE =
  'what takes twice as long is felt from some milliseconds on; ten times as long is a fault at any speed';

/** Every signal of the verdict, in the order in which they decide. */
export const SIGNALS: { readonly [S in SignalName]: Signal } = {
  exits: signal(
    'count',
    'times',
    'worker exits',
    'Workers that exited without being told to.',
    'one may be an accident; of an uncaught error of a kind that was never seen before, the first one is enough',
    { floor: 2 }
  ),
  hangs: signal(
    'count',
    'times',
    'worker hangs',
    'Workers that were replaced because they did not answer.',
    'an event loop that stands still for `hangTimeout` is no accident',
    {}
  ),
  errors: signal(
    'share',
    'share',
    '5xx',
    'Share of responses with a status of 500 or above, of all routes and of each.',
    'five failed answers are five people; a half in a hundred that is surely there is caught before it is a thousand',
    { floor: 0.003, requests: 20, least: 5, absolute: 0.5 }
  ),
  refused: signal(
    'share',
    'share',
    '4xx',
    'Share of responses with a status of 400 to 499, on the routes that both versions were asked for.',
    'clients cause most of them; a version that has lost its routes, or knows nobody any more, causes the rest',
    { floor: 0.1, requests: 20, least: 10 }
  ),
  cut: signal(
    'share',
    'share',
    'cut short',
    'Share of requests whose response was cut short, by either side.',
    'clients give up for reasons of their own as well, many at once when a load test ends',
    { floor: 0.02, requests: 20, least: 10 }
  ),
  p50: signal('percentile', 'ms', 'p50', 'Time that half of the requests took at the most.', LATENCY_BECAUSE, LATENCY),
  p99: signal(
    'percentile',
    'ms',
    'p99',
    'Time that 99 % of the requests took at the most.',
    'as p50; in most of the half seconds, for a pause of the machine slows down hundreds of requests at once',
    { ...LATENCY, requests: 100 }
  ),
  cpu: signal(
    'level',
    'ms',
    'CPU time of a request',
    'CPU time of the workers, divided by the requests.',
    'a version that needs three times the CPU is bad before it is slow; the first seconds compile code',
    { ratio: 2.5, floor: 0.1, requests: 100, afterMs: 5_000 }
  ),
  // In many services, pauses of 200 ms (garbage collection, rendering a page) are about 1 % of all: just above it or below.
  loopDelay: signal(
    'level',
    'ms',
    'event-loop delay',
    'p99 of the delay of the event loop, the worst worker.',
    'pauses of 200 ms are about 1 % of all in many services: just above it or below',
    { ratio: 3, floor: 500, afterMs: 10_000 }
  ),
  uncaught: signal(
    'count',
    'times',
    'uncaught exceptions',
    'Uncaught exceptions and unhandled rejections.',
    'an app that goes on after them has chosen to',
    { floor: 10 }
  ),
  // A new process grows by 100 MiB and more while heap and caches fill; over a shorter time that would look like a leak.
  memory: signal(
    'level',
    'bytes per minute',
    'memory growth',
    'Growth of the worker that grows fastest.',
    'a new worker grows by 100 MiB and more while heap and caches fill; see below for what grows faster',
    { ratio: 4, floor: 256 * MIB, afterMs: 25_000 }
  )
};

export const SIGNAL_NAMES = Object.keys(SIGNALS) as readonly SignalName[];

/** The default limits. */
export const DEFAULT_LIMITS = Object.fromEntries(SIGNAL_NAMES.map((name) => [name, SIGNALS[name].limit])) as BakeLimits;
