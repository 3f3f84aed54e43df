import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { formatReport, type Load, type Report, startLoad } from '../../bench/client/index.ts';
import { Fleet, type FleetWanted } from '../../bench/fleet/fleet.ts';
import { hasHaproxy } from '../../bench/fleet/proxy.ts';
import { Etcd } from '../../src/fleet/etcd/etcd.ts';
import { atEnd } from '../support/end.ts';
import { type EtcdWanted, type RunningEtcd, skipWithoutEtcd, startEtcd } from '../support/etcd.ts';
import { makeFolder, writeFile } from '../support/folder.ts';
import { until } from '../support/wait.ts';

/** Why a test with several machines is skipped, or false. */
export const skipWithoutEngines = skipWithoutEtcd || (hasHaproxy() ? false : 'there is no /usr/sbin/haproxy');

/** Every version is watched for a moment only; its boot is what tests hold open. */
const QUICK = ['--bake', '300ms', '--orphan-timeout', '60s', '--drain-before', '300ms'];
/** Enough to notice whatever goes wrong, on two cores that also start all these processes. */
export const CLIENTS = { idle: 6, thinking: 6, busy: 1, fresh: 1, slow: 2, uploading: 1 };
const PACE = { busyPauseMs: 8, freshPauseMs: 10, idleEveryMs: 700, uploadBytes: 100_000 };

/** Machines of a test with an etcd of their own, and what is there in it. */
export interface Stage {
  readonly fleet: Fleet;
  readonly server: RunningEtcd;
  readonly etcd: Etcd;
}

/** Machines m1 to m3, behind HAProxy, in an etcd of their own. All of it ends with the test. */
export async function prepareFleet(
  t: TestContext,
  wanted: Omit<FleetWanted, 'etcdFlags'> & { readonly etcd?: EtcdWanted } = {}
): Promise<Stage> {
  const server = await startEtcd(t, wanted.etcd);
  const etcd = new Etcd(server.options);
  atEnd(t, () => etcd.close());
  const flags = [...QUICK, ...(wanted.flags ?? [])];
  const etcdFlags = ['--etcd', server.endpoint, ...credentials(server, makeFolder(t))];
  const fleet = await Fleet.prepare({ ...wanted, flags, etcdFlags });
  atEnd(t, () => fleet.end());
  return { fleet, server, etcd };
}

/** The flags by which a machine shows who it is. */
function credentials({ options, files }: RunningEtcd, folder: string): string[] {
  const flags: string[] = [];
  if (options.user !== null && options.password !== null) {
    const file = writeFile(join(folder, 'password'), `${options.password}\n`, 0o600);
    flags.push('--etcd-user', options.user, '--etcd-password-file', file);
  }
  if (files) flags.push('--etcd-ca', files.ca, '--etcd-cert', files.client.cert, '--etcd-key', files.client.key);
  return flags;
}

/** Asks the service through the load balancer while something happens, and tells what came of every single request. */
export async function underLoad(t: TestContext, fleet: Fleet, run: (load: Load) => Promise<void>): Promise<Report> {
  const target = { host: '127.0.0.1', port: fleet.port };
  const load = startLoad({ target, clients: CLIENTS, ...PACE });
  atEnd(t, () => load.stop());
  await load.warm();
  await run(load);
  return load.stop();
}

export function assertNoneFailed(report: Report): void {
  assert.equal(report.failed, 0, formatReport(report));
  assert.ok(report.answered > 100, 'the load was really there');
}

/** Waits until every machine that was started serves this release. */
export async function allServe(fleet: Fleet, label: string, count = fleet.machines.length): Promise<void> {
  let labels: readonly (string | null)[] = [];
  await until(
    async () => {
      labels = await fleet.labels();
      return labels.filter((one) => one === label).length === count;
    },
    () => `${count} machines serve ${label}; they serve ${labels.join(', ')}`
  );
}
