import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { EventLine } from '../core/log-line.ts';
import type { Figures, GenerationStatus, Status } from '../core/status.ts';
import { percentile } from '../core/verdict/statistics.ts';
import type { AdminPorts, Beat, Role } from './admin-ports.ts';
import { CountedHistogram, spread } from './counted-histogram.ts';
import { METRICS, type MetricName } from './metric-table.ts';

type Labels = Record<string, string>;
type Named<T extends 'counter' | 'gauge' | 'histogram'> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];

const ROLES: readonly Role[] = ['active', 'candidate', 'standby', 'retiring'];

/** What of the figures of a verdict is shown as a signal, and by what it is turned into base units. */
const SIGNALS: readonly (readonly [signal: string, of: (figures: Figures) => number | null])[] = [
  ['failed_ratio', ({ failed, requests }) => (requests > 0 ? failed / requests : null)],
  ['cut_ratio', ({ cut, requests }) => (requests + cut > 0 ? cut / (requests + cut) : null)],
  ['p50_seconds', ({ p50Ms }) => inSeconds(p50Ms)],
  ['p99_seconds', ({ p99Ms }) => inSeconds(p99Ms)],
  ['cpu_seconds_per_request', ({ cpuMsPerRequest }) => inSeconds(cpuMsPerRequest)],
  ['loop_delay_seconds', ({ loopDelayMs }) => inSeconds(loopDelayMs)],
  ['memory_bytes', ({ rssBytes }) => rssBytes],
  ['memory_bytes_per_minute', ({ memoryPerMinuteBytes }) => memoryPerMinuteBytes],
  ['exits', ({ exits }) => exits],
  ['hangs', ({ hangs }) => hangs],
  ['uncaught', ({ uncaught }) => uncaught]
];

/**
 * The numbers of a service as Prometheus reads them.
 *
 * prom-client writes the text: the format, and its escapes, are its business. Counters count from the start of this supervisor.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #requests: CountedHistogram;
  readonly #handovers: CountedHistogram;
  readonly #ports: AdminPorts;
  /** What each worker said last of its event loop and memory. */
  readonly #last = new Map<string, Beat>();
  readonly #startedAt = Date.now() - process.uptime() * 1_000;
  #startedAtOf = new Map<number, number>();
  #cutoverAt = 0;
  #arrived: Readonly<Record<string, number>> = {};
  #cpuMs = 0;

  constructor(ports: AdminPorts) {
    this.#ports = ports;
    this.#registry.setDefaultLabels({ app: ports.app });
    this.#requests = this.#histogram('handover_http_request_duration_seconds');
    this.#handovers = this.#histogram('handover_handover_duration_seconds');
    for (const [name, { type, help, labels }] of Object.entries(METRICS)) {
      const given = { name, help, labelNames: [...labels], registers: [this.#registry] };
      if (type === 'counter') this.#counters.set(name, new Counter(given));
      if (type === 'gauge') this.#gauges.set(name, new Gauge(given));
    }
    this.#begin();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  takeBeat(beat: Beat): void {
    const { role, requests, redirected, refused, failed } = beat;
    const classes = {
      '2xx': requests - redirected - refused - failed,
      '3xx': redirected,
      '4xx': refused,
      '5xx': failed
    };
    for (const [code, count] of Object.entries(classes))
      this.#count('handover_http_requests_total', { role, code }, count);
    this.#count('handover_http_requests_cut_total', { role }, beat.cut);
    this.#count('handover_worker_uncaught_total', { role }, beat.uncaught);
    this.#count('handover_worker_cpu_seconds_total', { role, worker: numberOf(beat.id) }, beat.cpuMs / 1_000);
    this.#requests.add({ role }, beat.latency);
    this.#last.set(`${role} ${numberOf(beat.id)}`, beat);
  }

  takeEvent({ event, level, generation, kind, tookMs, decision, operator }: EventLine): void {
    this.#count('handover_log_events_total', { level });
    if (event === 'starting') this.#startedAtOf = new Map([[Number(generation), Date.now()]]);
    if (event === 'cutover') {
      this.#cutoverAt = Date.now();
      this.#end({ kind: String(kind), outcome: 'done' }, Number(tookMs) / 1_000);
    }
    if (event === 'failed') {
      const began = this.#startedAtOf.get(Number(generation));
      const { command } = (operator ?? {}) as { readonly command?: string };
      const failed = command?.includes('rollback') ? 'rollback' : 'reload';
      this.#end({ kind: failed, outcome: 'failed' }, began === undefined ? null : (Date.now() - began) / 1_000);
    }
    if (event === 'verdict') this.#count('handover_verdicts_total', { decision: String(decision) });
    if (event === 'worker-exited' && level === 'warn') this.#count('handover_worker_exits_total');
    if (event === 'worker-replaced') this.#count('handover_worker_restarts_total');
  }

  /** @returns the text of one scrape */
  async write(status: Status): Promise<string> {
    for (const gauge of this.#gauges.values()) gauge.reset();
    this.#set('handover_build_info', 1, { version: this.#ports.version, node: process.version });
    this.#set('handover_start_time_seconds', this.#startedAt / 1_000);
    this.#set('handover_ready', this.#ports.readiness().ready ? 1 : 0);
    this.#set('handover_phase', 1, { phase: status.phase });
    this.#set('handover_canary_share', status.canary?.share ?? 0);
    this.#set('handover_last_cutover_time_seconds', this.#cutoverAt / 1_000);
    this.#set('handover_supervisor_resident_memory_bytes', process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    const cpuMs = (user + system) / 1_000;
    this.#count('handover_supervisor_cpu_seconds_total', {}, (cpuMs - this.#cpuMs) / 1_000);
    this.#cpuMs = cpuMs;
    this.#countArrived();
    for (const role of ROLES) this.#setRole(role, generationsOf(status, role));
    this.#setSignals(status);
    return this.#registry.metrics();
  }

  /** A counter that nothing was counted in yet is 0: what is not there cannot be seen to grow. */
  #begin(): void {
    for (const role of ['active', 'standby']) {
      for (const code of ['2xx', '3xx', '4xx', '5xx']) this.#count('handover_http_requests_total', { role, code }, 0);
      this.#count('handover_http_requests_cut_total', { role }, 0);
      this.#count('handover_worker_uncaught_total', { role }, 0);
    }
    for (const kind of ['reload', 'rollback'])
      for (const outcome of ['done', 'failed']) this.#count('handover_handovers_total', { kind, outcome }, 0);
    for (const decision of ['keep', 'keep unseen', 'roll back'])
      this.#count('handover_verdicts_total', { decision }, 0);
    for (const level of ['info', 'warn', 'error']) this.#count('handover_log_events_total', { level }, 0);
    this.#count('handover_connections_handed_over_total', { kind: 'http1' }, 0);
  }

  #end(labels: Labels, seconds: number | null): void {
    this.#count('handover_handovers_total', labels);
    if (seconds !== null && Number.isFinite(seconds)) this.#handovers.observe(labels, seconds);
  }

  #countArrived(): void {
    const arrived = this.#ports.arrived();
    for (const [kind, count] of Object.entries(arrived))
      this.#count('handover_connections_handed_over_total', { kind }, count - (this.#arrived[kind] ?? 0));
    this.#arrived = arrived;
  }

  #setRole(role: Role, generations: readonly GenerationStatus[]): void {
    this.#set('handover_generation', generations[0]?.generation ?? 0, { role });
    const workers = generations.flatMap((one) => one.workers);
    for (const { state } of workers)
      this.#set('handover_workers', workers.filter((one) => one.state === state).length, { role, state });
    this.#set('handover_http_requests_in_flight', sum(workers.map(({ inFlight }) => inFlight)), { role });
    for (const kind of new Set(workers.flatMap(({ kinds }) => Object.keys(kinds ?? {}))))
      this.#set('handover_connections', sum(workers.map(({ kinds }) => kinds?.[kind] ?? 0)), { role, kind });
    if (role === 'standby') this.#set('handover_standby_memory_bytes', sum(workers.map(({ rssBytes }) => rssBytes)));
    const numbers = new Set(workers.map(({ id }) => numberOf(id)));
    for (const [key, beat] of this.#last) {
      if (beat.role !== role) continue;
      if (!numbers.has(numberOf(beat.id))) this.#last.delete(key);
      else {
        const labels = { role, worker: numberOf(beat.id) };
        this.#set(
          'handover_worker_event_loop_delay_seconds',
          (percentile(spread(beat.loop), 0.99) ?? 0) / 1_000,
          labels
        );
        this.#set('handover_worker_resident_memory_bytes', beat.rssBytes, labels);
      }
    }
  }

  #setSignals({ bake, canary }: Status): void {
    const figures = bake ?? (canary && { before: canary.figures.active, after: canary.figures.canary });
    for (const side of ['before', 'after'] as const) {
      const known = figures?.[side];
      for (const [signal, of] of known ? SIGNALS : []) {
        const value = known ? of(known) : null;
        if (value !== null) this.#set('handover_verdict_signal', value, { signal, side });
      }
    }
  }

  #count(name: Named<'counter'>, labels: Labels = {}, by = 1): void {
    // What a worker says is not taken on trust: a counter cannot go back.
    if (by >= 0) this.#counters.get(name)?.inc(labels, by);
  }

  #set(name: Named<'gauge'>, value: number, labels: Labels = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #histogram(name: Named<'histogram'>): CountedHistogram {
    const histogram = new CountedHistogram(name, METRICS[name].help);
    // It has what the registry asks for, and is none of prom-client's own.
    this.#registry.registerMetric(histogram as unknown as Metric);
    return histogram;
  }
}

/** The number of a worker in its generation: `7.2` is `2`. It stays small, since replacements count on. */
function numberOf(worker: string): string {
  return worker.split('.')[1] ?? worker;
}

function generationsOf(status: Status, role: Role): readonly GenerationStatus[] {
  if (role === 'retiring') return status.retiring;
  const one = status[role];
  return one ? [one] : [];
}

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}
