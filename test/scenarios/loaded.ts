import assert from 'node:assert/strict';
import {
  EVERY_KIND,
  formatReport,
  type Load,
  type LoadOptions,
  type Report,
  startLoad
} from '../../bench/client/index.ts';
import { type TestService, waitFor } from './service.ts';

/** Loads a service while something happens to it, and tells what came of every single request. */
export async function loaded(
  { port }: TestService,
  options: Partial<LoadOptions>,
  run: (load: Load) => Promise<void>
): Promise<Report> {
  const load = startLoad({
    target: { host: '127.0.0.1', port },
    clients: EVERY_KIND,
    busyPauseMs: 2,
    idleEveryMs: 700,
    downloadBytes: 2_000_000,
    uploadBytes: 300_000,
    ...options
  });
  try {
    await load.warm();
    await run(load);
  } finally {
    await load.stop();
  }
  return load.stop();
}

/** Waits until so many more requests are answered by a version. */
export async function answers(load: Load, version: string, count: number): Promise<void> {
  const seen = () => load.counts().perVersion[version] ?? 0;
  const enough = seen() + count;
  await waitFor(async () => seen() >= enough, `version ${version} has answered ${count} more requests`);
}

/** Asserts that nobody noticed anything: no request failed, and no idle client had to connect again. */
export function assertUnnoticed(report: Report): void {
  assert.equal(report.failed, 0, formatReport(report));
  assert.deepEqual(report.reconnects.idle, { asked: 0, closed: 0, reset: 0 }, formatReport(report));
  assert.ok(report.answered > 100, 'the load was really there');
}
