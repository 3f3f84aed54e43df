import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { atEnd } from './end.ts';
import { makeFolder, writeFile } from './folder.ts';
import { installInto } from './installed.ts';
import { inTime, until } from './wait.ts';

const run = promisify(execFile);
const ENTER = fileURLToPath(new URL('../fixtures/systemd/enter.sh', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../examples/systemd', import.meta.url));

/** The targets that units refer to by themselves. Without those of the machine nothing of it is started. */
const TARGETS = ['basic', 'sysinit', 'sockets', 'shutdown', 'multi-user', 'network', 'umount'];

/** Why no systemd can be run here, or false. */
export function cannotRunSystemd(): string | false {
  if (process.getuid?.() !== 0) return 'a systemd of its own needs root';
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
  if (!existsSync('/srv')) return 'there is no /srv, where the example is installed';
  if (spawnSync('getent', ['passwd', 'www-data']).status !== 0)
    return 'the example runs as www-data, which is not there';
  const namespaces = ['--fork', '--pid', '--mount', '--mount-proc', '--uts', '--ipc', '--cgroup'];
  const mounts = 'mount -t tmpfs tmpfs /run && mount -t cgroup2 cgroup2 /sys/fs/cgroup';
  const { status } = spawnSync('unshare', [...namespaces, 'sh', '-c', mounts]);
  return status !== 0 && 'namespaces, or mounts in them, are not allowed here';
}

interface Done {
  readonly code: number;
  readonly said: string;
}

/** A machine with a systemd of its own and the example installed as its README says. It ends with the test. */
export class SystemdMachine {
  /** What is /srv/handover-app to the service. */
  readonly app: string;
  readonly #folder: string;
  readonly #pid: number;

  private constructor(folder: string, pid: number) {
    this.#folder = folder;
    this.app = join(folder, 'handover-app');
    this.#pid = pid;
  }

  /** @param dropIns what a unit is to have otherwise than in the example, by its name */
  static async boot(t: TestContext, dropIns: Readonly<Record<string, string>>): Promise<SystemdMachine> {
    const folder = makeFolder(t);
    chmodSync(folder, 0o755);
    const units = join(folder, 'units');
    for (const name of TARGETS) writeFile(join(units, `${name}.target`), '[Unit]\nDefaultDependencies=no\n');
    for (const name of ['handover-app.service', 'handover-app.socket']) cpSync(join(EXAMPLE, name), join(units, name));
    const here = '[Service]\nEnvironment=PATH=/run/node:/usr/bin:/bin\nStandardError=append:/srv/log\n';
    writeFile(join(units, 'handover-app.service.d/here.conf'), here);
    for (const [unit, text] of Object.entries(dropIns)) writeFile(join(units, `${unit}.d/test.conf`), text);
    for (const name of ['server.js', 'package.json']) cpSync(join(EXAMPLE, name), join(folder, 'handover-app', name));
    install(join(folder, 'handover-app'));
    const machine = new SystemdMachine(folder, await enter(t, folder));
    const isRunning = async () => (await machine.systemctl('is-system-running')).said === 'running';
    // On a busy machine it takes longer than anything else that tests wait for.
    await until(isRunning, 'systemd to have started').catch(() => until(isRunning, 'systemd to have started'));
    return machine;
  }

  /** Gives systemd an order, and waits for its end. */
  systemctl(...args: string[]): Promise<Done> {
    return this.#run('systemctl', ...args);
  }

  /** Gives the supervisor of the service an order, and waits for its end. */
  handover(...args: string[]): Promise<Done> {
    const command = '/srv/handover-app/node_modules/.bin/handover';
    return this.#run(
      'env',
      'PATH=/run/node:/usr/bin:/bin',
      command,
      ...args,
      '--socket',
      '/run/handover-app/control.sock'
    );
  }

  /** Gives a command of handover in the folder of the app, as root. */
  inFolder(...args: string[]): Promise<Done> {
    const env = ['env', '--chdir=/srv/handover-app', 'PATH=/run/node:/usr/bin:/bin', 'XDG_RUNTIME_DIR='];
    return this.#run(...env, '/srv/handover-app/node_modules/.bin/handover', ...args);
  }

  /** Starts the manager of a user, as `loginctl enable-linger` does where there are logins, and runs commands as that user. */
  async ofUser(name: string): Promise<(...command: string[]) => Promise<Done>> {
    const [uid = '', gid = ''] = ['-u', '-g'].map((of) =>
      spawnSync('id', [of, name], { encoding: 'utf8' }).stdout.trim()
    );
    const home = join(this.#folder, 'home');
    mkdirSync(home);
    for (const target of [...TARGETS, 'default', 'timers', 'paths'])
      writeFile(join(this.#folder, 'of-user', `${target}.target`), '[Unit]\nDefaultDependencies=no\n');
    const env = ['HOME=/srv/home', `XDG_RUNTIME_DIR=/run/user/${uid}`, 'PATH=/run/node:/usr/bin:/bin'];
    const lines = ['[Service]', 'Type=notify', `User=${name}`, 'Delegate=yes', `RuntimeDirectory=user/${uid}`];
    const paths = ['SYSTEMD_UNIT_PATH=/srv/home/.config/systemd/user:/srv/of-user', 'SYSTEMD_GENERATOR_PATH=/run/none'];
    const set = [...env, ...paths].map((one) => `Environment=${one}`);
    const start = 'ExecStart=/lib/systemd/systemd --user --unit=basic.target';
    writeFile(join(this.#folder, 'units/manager.service'), [...lines, ...set, start, ''].join('\n'));
    chownSync(home, Number(uid), Number(gid));
    const { code, said } = await this.systemctl('start', 'manager.service');
    if (code !== 0) throw new Error(`no manager of ${name}: ${said}`);
    const as = ['setpriv', '--reuid', uid, '--regid', gid, '--clear-groups', 'env', '-i', '--chdir=/srv/handover-app'];
    return (...command) => this.#run(...as, ...env, ...command);
  }

  #run(...command: string[]): Promise<Done> {
    const inside = ['--target', String(this.#pid), '--mount', '--pid', ...command];
    const done = run('nsenter', inside).then(
      ({ stdout }) => ({ code: 0, said: stdout.trim() }),
      ({ code, stdout, stderr }) => ({ code: Number(code), said: `${stdout}${stderr}`.trim() })
    );
    return inTime(done, () => `the end of ${command.join(' ')}; the service said:\n${this.log()}`);
  }

  /** What systemd knows of the service. */
  async show(property: string, unit = 'handover-app.service'): Promise<string> {
    return (await this.systemctl('show', '--property', property, '--value', unit)).said;
  }

  /** Sends the main process of the service a signal. */
  async signalMain(signal: string, unit = 'handover-app.service'): Promise<void> {
    await this.systemctl('kill', '--kill-whom=main', `--signal=${signal}`, unit);
  }

  /** As whom processes run, each user once. */
  async usersOf(pids: readonly number[]): Promise<string[]> {
    const { said } = await this.#run('ps', '-o', 'user=', '-p', pids.join(','));
    return [...new Set(said.split('\n').map((line) => line.trim()))];
  }

  log(): string {
    const path = join(this.#folder, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}

function install(app: string): void {
  installInto(app);
  mkdirSync(join(app, 'node_modules/.bin'));
  symlinkSync('../handover/dist/cli.js', join(app, 'node_modules/.bin/handover'));
}

/** @returns the pid that systemd has outside, where it is not 1 */
async function enter(t: TestContext, folder: string): Promise<number> {
  const env = {
    ...process.env,
    FOLDER: folder,
    NODE_FOLDER: dirname(process.execPath),
    GROUP: `handover-test-${process.pid}-${Date.now()}`
  };
  const outside = spawn('unshare', ['--mount', 'sh', ENTER], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  outside.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = once(outside, 'exit');
  let pid = 0;
  atEnd(t, async () => {
    // All that is in the namespace ends with its process 1.
    if (pid !== 0 && outside.exitCode === null) process.kill(pid, 'SIGKILL');
    await inTime(exited, 'the end of systemd');
    await inTime(run('unshare', ['--mount', 'sh', ENTER, 'leave'], { env }), 'its control groups to be removed');
  });
  pid = await until(
    () => findFirst(outside),
    () => `the first process of the namespace; ${said}`
  );
  return pid;
}

/** The child that is process 1 of its namespace; before it come those of the shell. */
function findFirst({ pid, exitCode }: ChildProcess): number | null {
  if (exitCode !== null) throw new Error(`the namespace has ended with ${exitCode}`);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const isFirst = (child: string) => /^NSpid:\s+\d+\s+1$/m.test(readStatus(child));
  return Number(children.find(isFirst) ?? 0) || null;
}

function readStatus(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
