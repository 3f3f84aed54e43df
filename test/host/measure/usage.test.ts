import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { measureUsage, readAvailableShare } from '../../../src/host/measure/usage.ts';
import { makeFolder } from '../../support/service.ts';

const MEMINFO = 'MemTotal:       1000 kB\nMemFree:          10 kB\nMemAvailable:    400 kB\n';

/** A machine on paper: the files of its kernel. */
function machine(t: TestContext, files: Record<string, string>): string {
  const root = makeFolder(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function limited(folder: string, max: string, current: number, inactive: number): Record<string, string> {
  return {
    [join(folder, 'memory.max')]: `${max}\n`,
    [join(folder, 'memory.current')]: `${current}\n`,
    [join(folder, 'memory.stat')]: `anon 1\ninactive_anon 7\ninactive_file ${inactive}\n`
  };
}

test('what the kernel calls available is, free or not', (t) => {
  assert.equal(readAvailableShare(machine(t, { 'proc/meminfo': MEMINFO })), 0.4);
});

test('in a container its own limit counts, without the files that the kernel would give up', (t) => {
  const root = machine(t, {
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '0::/\n',
    ...limited('sys/fs/cgroup', '1000', 900, 100)
  });
  assert.equal(readAvailableShare(root), 0.2);
});

test('the lowest of the machine, the cgroup and those above it counts', (t) => {
  const files = {
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '1:name=systemd:/\n0::/system.slice/app.service\n',
    ...limited('sys/fs/cgroup/system.slice', '1000', 700, 0),
    ...limited('sys/fs/cgroup/system.slice/app.service', 'max', 700, 0)
  };
  assert.equal(readAvailableShare(machine(t, files)), 0.3);
  assert.equal(
    readAvailableShare(machine(t, { ...files, ...limited('sys/fs/cgroup/system.slice/app.service', '100', 95, 0) })),
    0.05
  );
  assert.equal(
    readAvailableShare(machine(t, { ...files, ...limited('sys/fs/cgroup/system.slice', '1000', 1, 0) })),
    0.4
  );
});

test('a cgroup that uses more than it may has nothing left', (t) => {
  const root = machine(t, { 'proc/meminfo': MEMINFO, ...limited('sys/fs/cgroup', '100', 200, 0) });
  assert.equal(readAvailableShare(root), 0);
});

test('where the system does not tell, nothing is known', (t) => {
  assert.equal(readAvailableShare(machine(t, {})), null);
});

test('memory and CPU of processes are measured, those that are gone are left out, and no file stays open', async () => {
  const busyUntil = Date.now() + 300;
  await measureUsage([process.pid]);
  while (Date.now() < busyUntil);
  const open = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
  const before = open();
  const usage = await measureUsage([process.pid, 2 ** 22 + 1]);
  assert.deepEqual([...usage.keys()], [process.pid]);
  const { rssBytes = 0, cpuShare = 0 } = usage.get(process.pid) ?? {};
  assert.ok(Math.abs(rssBytes / process.memoryUsage.rss() - 1) < 0.2, String(rssBytes));
  assert.ok(cpuShare > 0.1 && cpuShare < 4, String(cpuShare));
  assert.equal(open(), before);
});
