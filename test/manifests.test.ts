import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ms, { type StringValue } from 'ms';
import { parse, parseAllDocuments } from 'yaml';
import { TTL_SECONDS } from '../src/fleet/membership.ts';
import { paceMs } from '../src/fleet/rules/permits.ts';
import { ROOT } from './docs/pages.ts';
import { withoutHaproxy } from './support/haproxy.ts';
import { makeFolder } from './support/service.ts';

// Examples that need a cluster, a container engine or a network to run: what stands in their files, and whether it fits.

const read = (path: string): string => readFileSync(join(ROOT, 'examples', path), 'utf8');

/** What SIGTERM handlers of the app have after --drain-timeout. */
const LAST_MS = 5_000;

/** A duration that an example gives to a flag, as `--flag=value`. */
function flagMs(words: readonly string[], flag: string): number {
  const value = words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1);
  return ms((value ?? assert.fail(`no ${flag}`)) as StringValue);
}

const KINDS: Record<string, string> = {
  Deployment: 'apps/v1',
  Service: 'core/v1',
  PodDisruptionBudget: 'policy/v1',
  NetworkPolicy: 'networking/v1'
};

/** What the compiler says of objects that are written where Kubernetes' types are wanted: unknown fields, wrong values. */
function checkTypes(folder: string, objects: readonly { kind: string }[]): string {
  const lines = objects.map((object, at) => {
    const type = `import('${ROOT}node_modules/kubernetes-types/${KINDS[object.kind]}.d.ts').${object.kind}`;
    return `export const object${at}: ${type} = ${JSON.stringify(object)};`;
  });
  const file = join(folder, 'manifests.ts');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
  return spawnSync(process.execPath, [tsc, ...flags, file], { encoding: 'utf8', cwd: folder }).stdout;
}

interface Probe {
  httpGet: { path: string; port: string };
  periodSeconds: number;
  failureThreshold: number;
}

test('examples/kubernetes: the manifests are what Kubernetes takes, and what refers to each other does', (t) => {
  const objects = parseAllDocuments(read('kubernetes/shop.yaml')).map((document) => document.toJS());
  const wrong = structuredClone(objects[0]);
  wrong.spec.template.spec.terminationGracePeriod = 45;
  // All are right but the last, in which a field has a name that is none.
  const mistakes = checkTypes(makeFolder(t), [...objects, wrong])
    .trim()
    .split('\n');
  assert.equal(mistakes.length, 1, mistakes.join('\n'));
  assert.match(mistakes[0] ?? '', /'"terminationGracePeriod"' does not exist in type 'PodSpec'/);

  const [deployment, service, budget, policy] = objects;
  const { labels } = deployment.spec.template.metadata;
  const selectors = [deployment.spec.selector.matchLabels, service.spec.selector];
  for (const selector of [...selectors, budget.spec.selector.matchLabels, policy.spec.podSelector.matchLabels])
    assert.deepEqual(selector, labels);
  assert.deepEqual(deployment.spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });

  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;
  const ports = new Map(container.ports.map((port: { name: string; containerPort: number }) => Object.values(port)));
  assert.ok(container.args.includes(`--listen=${ports.get('http')}`));
  assert.ok(container.args.includes(`--admin=0.0.0.0:${ports.get('admin')}`));
  const outside = [service.spec.ports[0].targetPort, policy.spec.ingress[0].ports[0].port];
  assert.deepEqual(outside, ['http', 'http'], 'the admin port is for probes alone');
  const names = (list: { name: string }[]) => list.map(({ name }) => name).sort();
  assert.deepEqual(names(container.volumeMounts), names(pod.volumes));
});

test('examples/kubernetes: the times fit each other', () => {
  const { spec } = parseAllDocuments(read('kubernetes/shop.yaml'))[0]?.toJS().spec.template ?? assert.fail();
  const [{ args, startupProbe, readinessProbe, livenessProbe }] = spec.containers;
  const spent = (probe: Probe) => probe.periodSeconds * probe.failureThreshold * 1_000;
  const drainBefore = flagMs(args, '--drain-before');
  const stop = drainBefore + flagMs(args, '--drain-timeout') + LAST_MS;
  assert.ok(stop + LAST_MS <= spec.terminationGracePeriodSeconds * 1_000, 'a stop, and a preStop that takes a moment');
  assert.ok(spent(readinessProbe) + 2_000 < drainBefore, 'the Service knows before anything changes');
  assert.ok(spent(startupProbe) > 30_000, 'longer than the default of --ready-timeout');
  const probes: Probe[] = [startupProbe, readinessProbe, livenessProbe];
  assert.deepEqual(
    probes.map(({ httpGet }) => `${httpGet.port}${httpGet.path}`),
    ['admin/ready', 'admin/ready', 'admin/live']
  );
});

test('examples/docker: both containers are read-only and not root, and HAProxy knows of a stop before its time is up', () => {
  const { services } = parse(read('docker/compose.yaml'), { merge: true });
  const proxy = read('docker/haproxy.cfg');
  const [, port, inter] = /agent-port (\d+) agent-inter (\d+)ms/.exec(proxy) ?? assert.fail('no agent check');
  for (const name of ['one', 'two']) {
    const { command, read_only, cap_drop, tmpfs, stop_grace_period } = services[name];
    assert.deepEqual([read_only, cap_drop], [true, ['ALL']]);
    assert.ok(tmpfs.some((line: string) => line.startsWith('/run/app:')));
    assert.ok(command.includes(`--agent-check=0.0.0.0:${port}`) && command.includes('--listen=3000'));
    assert.match(proxy, new RegExp(`server ${name} ${name}:3000$`, 'm'));
    const stop = flagMs(command, '--drain-before') + flagMs(command, '--drain-timeout') + LAST_MS;
    assert.ok(stop < ms(stop_grace_period as StringValue));
    assert.ok(flagMs(command, '--drain-before') >= 4 * Number(inter));
  }
  assert.match(read('docker/Dockerfile'), /^USER node$[\s\S]*^HEALTHCHECK /m, 'what `service_healthy` waits for');
});

for (const path of ['docker/haproxy.cfg', 'dns/l4.cfg']) {
  test(`examples/${path}: HAProxy takes it`, { skip: withoutHaproxy }, () => {
    const file = join(ROOT, 'examples', path);
    const { status, stderr } = spawnSync('/usr/sbin/haproxy', ['-c', '-f', file], { encoding: 'utf8' });
    // The names of the containers are known to Docker alone.
    const mistakes = stderr.split('\n').filter((line) => /WARNING|ALERT/.test(line) && !/could not resolve/.test(line));
    assert.deepEqual([status, mistakes], [0, []]);
  });
}

test('examples/dns: its numbers are those of its program, and that of the code', () => {
  const program = read('dns/arithmetic.js');
  const said = execFileSync(process.execPath, [join(ROOT, 'examples/dns/arithmetic.js')], { encoding: 'utf8' });
  assert.ok(read('dns/README.md').includes(`\`\`\`text\n${said}\`\`\``));
  assert.match(program, new RegExp(`RENEWALS = 3 / ${TTL_SECONDS};`));
  const seconds = (machines: number) => Math.min(90, Math.max(3, machines * 0.03)); // as the program has it
  for (const machines of [3, 300, 3_000, 30_000]) assert.equal(paceMs(machines), seconds(machines) * 1_000);
  assert.match(said, /: fits into/);
});
