import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Finding, ok, type Patient, unknown, warning, wrong } from './finding.ts';

/** With fewer descriptors a busy service refuses connections: each is one, and so is each worker's link. */
const FEW_DESCRIPTORS = { wrong: 1_024, warning: 8_192 };
const LONGEST_MS = 5_000;
/** Before this, a clock was never set. */
const OLDEST = Date.UTC(2025, 0, 1);

/** Node: the oldest that is supported, and whether it may still get corrections. */
export function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const said = `Node ${process.versions.node}`;
  if (major < 20 || (major === 20 && minor < 19))
    return wrong('node', `${said} is older than 20.19`, 'Install Node 20.19, 22, 24 or later');
  if (major % 2 === 1)
    return warning(
      'node',
      `${said} is of a line that gets corrections for months only`,
      'Take one with an even number'
    );
  return ok('node', said);
}

/** How many descriptors the supervisor may have; where none runs, how many this shell's programs may. */
export function checkDescriptors({ running }: Patient): Finding {
  const who = running
    ? `supervisor (pid ${running.status.supervisor.pid})`
    : 'shell: no supervisor of this folder runs';
  const text = read(`/proc/${running?.status.supervisor.pid ?? 'self'}/limits`);
  const [, soft, hard] = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text ?? '') ?? [];
  if (soft === undefined) return unknown('descriptors', 'the limits of the process cannot be read here');
  // Node raises its own limit to the hard one.
  const limit = Math.max(toLimit(soft), toLimit(hard ?? soft));
  const what = `${limit === Number.POSITIVE_INFINITY ? 'no limit on' : limit} descriptors, of the ${who}`;
  const fix = 'LimitNOFILE=65536 in the unit (systemctl edit), `ulimit -n`, or --ulimit nofile=65536 of the container';
  if (limit < FEW_DESCRIPTORS.wrong) return wrong('descriptors', `only ${what}`, fix);
  return limit < FEW_DESCRIPTORS.warning ? warning('descriptors', `only ${what}`, fix) : ok('descriptors', what);
}

function toLimit(text: string): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

/** The kernel's limit of the queue, beside the one that is asked for. */
export function checkBacklog({ options }: Patient): Finding {
  const most = Number(read('/proc/sys/net/core/somaxconn') ?? Number.NaN);
  const { backlog } = options;
  if (!Number.isFinite(most)) return unknown('backlog', 'net.core.somaxconn cannot be read here');
  const what = `net.core.somaxconn is ${most}, and ${backlog} connections may wait (--backlog)`;
  return most >= backlog
    ? ok('backlog', what)
    : warning('backlog', what, `sysctl -w net.core.somaxconn=${backlog}, and the same in /etc/sysctl.d`);
}

/** Whether the clock is set, and kept so: certificates, logs and the history go by it. */
export async function checkClock(): Promise<Finding> {
  if (Date.now() < OLDEST)
    return wrong(
      'clock',
      `the clock says ${new Date().toISOString()}`,
      'Set it, and have it kept: systemd-timesyncd, chrony'
    );
  if (existsSync('/run/systemd/timesync/synchronized')) return ok('clock', 'it is kept by systemd-timesyncd');
  const said = await ask('timedatectl', ['show', '--property', 'NTPSynchronized', '--value']);
  if (said === null) return unknown('clock', 'whether it is kept by a time server: timedatectl cannot say it here');
  return said === 'yes'
    ? ok('clock', 'it is kept by a time server')
    : warning('clock', 'no time server keeps it', 'timedatectl set-ntp true, or install chrony');
}

/** Room for logs, the history, and copies of workers' files. */
export function checkDisk({ folder, options, running }: Patient): Finding {
  const places = [folder, options.stateFile && dirname(options.stateFile), running && dirname(running.socket)];
  const low: string[] = [];
  let isFull = false;
  for (const place of new Set(places.filter((one) => one !== null))) {
    const found = measure(place);
    if (found === null || found.share >= 0.1 || found.bytes > 2e9) continue;
    low.push(`${place} has ${Math.round(found.bytes / 1e6)} MB (${(found.share * 100).toFixed(1)} %) left`);
    isFull ||= found.share < 0.02 || found.bytes < 50e6;
  }
  const fix = 'Make room: old releases, logs without a limit (journalctl --vacuum-size=500M)';
  if (low.length === 0) return ok('disk', `room is left for ${folder}`);
  return isFull ? wrong('disk', low.join(', '), fix) : warning('disk', low.join(', '), fix);
}

function measure(place: string): { bytes: number; share: number } | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(place);
    return { bytes: bavail * bsize, share: blocks === 0 ? 1 : bavail / blocks };
  } catch {
    return null; // not there yet: what it is made in is looked at with the folder
  }
}

/** What lies in the temp folder for days is removed by systemd-tmpfiles, sockets that were moved to their place too. */
export function checkTmpfiles({ options, running }: Patient): Finding {
  const sockets = options.listen.flatMap((one) => ('path' in one ? [one.path] : []));
  const places = [...(running ? [running.socket] : []), ...(options.stateFile ? [options.stateFile] : []), ...sockets];
  const found = places.filter((path) => /^\/(?:var\/)?tmp\//.test(path));
  if (found.length === 0) return ok('tmpfiles', 'nothing of it is in /tmp, where systemd-tmpfiles cleans up');
  const rules = ['/etc/tmpfiles.d/tmp.conf', '/usr/lib/tmpfiles.d/tmp.conf', '/lib/tmpfiles.d/tmp.conf'];
  if (!rules.some((path) => existsSync(path)))
    return ok('tmpfiles', `in /tmp is ${found.join(', ')}, and no systemd-tmpfiles cleans up there`);
  return warning(
    'tmpfiles',
    `systemd-tmpfiles removes what nobody touched for days, and there is ${found.join(', ')}`,
    'Put it into /run with --socket, --state-file or XDG_RUNTIME_DIR; `handover install` does'
  );
}

export function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not here, or not for this user
  }
}

/** What a program says; null where it is not there, fails or takes too long. */
export function ask(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((done) => {
    execFile(program, args, { timeout: LONGEST_MS }, (error, stdout) => done(error ? null : stdout.trim()));
  });
}
