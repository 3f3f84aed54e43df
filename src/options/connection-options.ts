import * as readers from './readers.ts';
import { duration, spec } from './spec.ts';

/** What becomes of live connections at a handover. */
export const CONNECTION_OPTIONS = {
  handoverBudget: duration(
    2_000,
    '<2s>',
    'How long a connection that could move may wait for its turn, before the next answer on it says `Connection: close`.'
  ),
  ramp: duration(
    2_000,
    '<2s | 0>',
    'How long, and at most handoverBudget, connections may move to a new version one by one, as fast as it serves them without falling behind. `0`: all at once.'
  ),
  upgradeSpread: duration(
    30_000,
    '<30s>',
    'Over how long WebSockets are closed, and streams without ids ended, one by one: their clients come back evenly. A stop, or the end of the drain timeout, shortens it.'
  ),
  websockets: spec<'close' | 'keep'>({
    fallback: 'close',
    value: '<close | keep>',
    wants: '"close" or "keep"',
    about:
      'What becomes of WebSockets at a handover: closed with 1012 between two messages, spread over upgradeSpread, or kept by the old version until it is retired. Those of an app that calls `carry()` move.',
    read: readers.readOneOf('close', 'keep')
  }),
  eventStreams: spec<'move' | 'keep' | 'end'>({
    fallback: 'move',
    value: '<move | keep | end>',
    wants: '"move", "keep" or "end"',
    about:
      'What becomes of server-sent events at a handover: a stream whose events have ids moves between two of them, others stay until their version is retired; or all stay; or all are ended, spread over upgradeSpread.',
    read: readers.readOneOf('move', 'keep', 'end')
  })
} as const;
