import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from './end.ts';
import { until } from './wait.ts';

// Machines that have nothing in common but a cable: each in a network namespace, and all of it in namespaces of the test's own, that end
// with its process 1. So nothing is left in the network of this machine, however the test ends.

const INSIDE = 'HANDOVER_TEST_NETWORK';
const NET = '10.77.0';
/** Where what all machines ask listens. */
export const HUB = `${NET}.254`;
/** Whoever starts it may be killed: then so is this, and with it all that is in there. */
const OUTSIDE = ['--pdeathsig', 'KILL', '--', 'unshare', '--fork', '--kill-child', '--pid', '--mount-proc', '--net'];
/** The shell stays process 1, and takes leave of those that nobody waits for. */
const CABLE = `ip link set lo up && ip link add hub type bridge && ip addr add ${HUB}/24 dev hub && ip link set hub up`;

/** Whether this process is in there. */
export const isInside = process.env[INSIDE] !== undefined;

/** Why machines cannot have a network each here, or false. */
export function cannotSeparate(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const script = `${CABLE} && ip link add one type veth peer name other`;
  const { status } = spawnSync('setpriv', [...OUTSIDE, 'sh', '-c', script]);
  return status !== 0 && 'network namespaces, or `ip` and `setpriv` to make them with, are not to be had here';
}

/** Runs a test file once more, inside. @throws Error with all that it said, where it fails */
export async function runInside(t: TestContext, url: string): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const reading = process.execArgv.filter((word) => !word.startsWith('--test'));
  const words = [process.execPath, ...reading, '--test-reporter=spec', fileURLToPath(url)];
  const child = spawn('setpriv', [...OUTSIDE, 'sh', '-c', `${CABLE} && "$@"; exit $?`, 'sh', ...words], {
    env: { ...env, [INSIDE]: '1' },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const closed = once(child, 'close');
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const [code] = await closed;
  if (code !== 0) throw new Error(`inside it failed with ${code}:\n${said}`);
  for (const line of said.split('\n').filter((line) => /^\s*[✔﹣]/.test(line))) t.diagnostic(line.trim());
}

/** A machine on the cable. */
export interface Ground {
  readonly host: string;
  /** What stands before a command that is to run there. */
  readonly enter: readonly string[];
}

const grounds: Ground[] = [];

/** Lays the cable to so many machines; to be called inside. They are there for all tests of the file, and end with their namespaces. */
export async function layGround(count: number): Promise<readonly Ground[]> {
  for (let at = grounds.length + 1; at <= count; at += 1) {
    const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
    holder.unref();
    const network = `/proc/${holder.pid}/ns/net`;
    await until(() => readlinkSync(network) !== readlinkSync('/proc/self/ns/net'), 'a network namespace');
    const enter = ['nsenter', `--net=${network}`];
    const host = `${NET}.${at}`;
    run('ip', 'link', 'add', `to-${at}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid));
    run('ip', 'link', 'set', `to-${at}`, 'master', 'hub', 'up');
    run(...enter, 'sh', '-c', `ip link set lo up && ip addr add ${host}/24 dev eth0 && ip link set eth0 up`);
    grounds.push({ host, enter });
  }
  return grounds;
}

function run(...[file = '', ...words]: readonly string[]): void {
  const { status, stderr } = spawnSync(file, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ${words.join(' ')}: ${stderr}`);
}
