/**
 * A load of many small HTTP/1.1 clients that accounts for every request it sent.
 *
 * A request is sent once, never again, and ends in one way: answered, or failed
 * with exactly one class. A connection may end by the rules of the protocol
 * (`Connection: close` on an answer, FIN or RST while nothing is outstanding);
 * that is a reconnect with its cause, not a failure. Anything else that keeps a
 * full, right and single answer from its request is a failure, also when the
 * server closed an idle connection in the moment the client wrote to it.
 *
 * By hand: node --import tsx bench/client/main.ts --port 3000 --clients busy=10,idle=20
 */
export { formatReport } from './format.ts';
export type { Load, LoadCounts } from './load.ts';
export { startLoad } from './load.ts';
export type { ClientKind, FailureKind, LoadOptions, ReconnectCause, Settings, Target } from './model.ts';
export { EVERY_KIND, FAILURE_KINDS as EVERY_FAILURE } from './model.ts';
export type { ClientReport, Report } from './report.ts';
export type { Percentiles } from './samples.ts';
