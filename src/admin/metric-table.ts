/** One metric: what Prometheus is told of it, and the docs. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
}

function of<T extends MetricSpec['type']>(type: T, unit: string, labels: readonly string[], help: string) {
  return { type, unit, labels, help };
}

/** Every metric of `GET /metrics`, by its name. Each has the label `app` too. */
export const METRICS = {
  handover_build_info: of('gauge', '1', ['version', 'node'], 'The supervisor: its version and that of its Node.'),
  handover_start_time_seconds: of('gauge', 'seconds', [], 'When the supervisor was started, since the epoch.'),
  handover_ready: of('gauge', '0 or 1', [], 'Whether a load balancer should send clients here, as /ready says.'),
  handover_generation: of(
    'gauge',
    'number',
    ['role'],
    'Number of the generation with that role; 0 where there is none.'
  ),
  handover_phase: of(
    'gauge',
    '0 or 1',
    ['phase'],
    'What goes on: 1 for that phase of a handover, steady where there is none.'
  ),
  handover_canary_share: of('gauge', 'ratio 0-1', [], 'What the canary answers; 0 where there is none.'),
  handover_workers: of('gauge', 'processes', ['role', 'state'], 'Workers by what they do.'),
  handover_http_requests_total: of(
    'counter',
    'requests',
    ['role', 'code'],
    'Responses completed, by class of their status.'
  ),
  handover_http_requests_cut_total: of(
    'counter',
    'requests',
    ['role'],
    'Responses cut short, whoever closed the connection.'
  ),
  handover_http_request_duration_seconds: of(
    'histogram',
    'seconds',
    ['role'],
    'How long requests took, to the end of the response.'
  ),
  handover_http_requests_in_flight: of('gauge', 'requests', ['role'], 'Requests without a complete response yet.'),
  handover_connections: of(
    'gauge',
    'connections',
    ['role', 'kind'],
    'Open connections: http1, tls, http2, websocket, event-stream, other.'
  ),
  handover_connections_handed_over_total: of(
    'counter',
    'connections',
    ['kind'],
    'Live connections that went on in another process.'
  ),
  handover_handovers_total: of(
    'counter',
    'handovers',
    ['kind', 'outcome'],
    'Reloads and rollbacks that were done, or failed.'
  ),
  handover_handover_duration_seconds: of(
    'histogram',
    'seconds',
    ['kind', 'outcome'],
    'From the order to the cutover, or to its failure.'
  ),
  handover_last_cutover_time_seconds: of(
    'gauge',
    'seconds',
    [],
    'When the active generation changed last, since the epoch; 0 before the first time.'
  ),
  handover_verdicts_total: of(
    'counter',
    'verdicts',
    ['decision'],
    'Verdicts on new generations: keep, keep unseen, roll back.'
  ),
  handover_verdict_signal: of(
    'gauge',
    'by signal',
    ['signal', 'side'],
    'What is compared while a new generation is watched: before and after.'
  ),
  handover_worker_exits_total: of('counter', 'exits', [], 'Workers that exited without being asked to.'),
  handover_worker_restarts_total: of('counter', 'restarts', [], 'Workers that replaced one that was lost.'),
  handover_worker_uncaught_total: of(
    'counter',
    'errors',
    ['role'],
    'Uncaught exceptions and unhandled rejections of the app.'
  ),
  handover_worker_event_loop_delay_seconds: of(
    'gauge',
    'seconds',
    ['role', 'worker'],
    'p99 of the delay of the event loop over the last second.'
  ),
  handover_worker_resident_memory_bytes: of('gauge', 'bytes', ['role', 'worker'], 'Resident memory.'),
  handover_worker_cpu_seconds_total: of('counter', 'seconds', ['role', 'worker'], 'CPU time, user and system.'),
  handover_standby_memory_bytes: of(
    'gauge',
    'bytes',
    [],
    'What it costs to keep the version before warm: resident memory of all its workers.'
  ),
  handover_supervisor_resident_memory_bytes: of('gauge', 'bytes', [], 'Resident memory of the supervisor.'),
  handover_supervisor_cpu_seconds_total: of('counter', 'seconds', [], 'CPU time of the supervisor, user and system.'),
  handover_log_events_total: of('counter', 'events', ['level'], 'Lines of the log: info, warn, error.')
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;
