import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../src/control/client.ts';
import type { Status } from '../../src/core/status.ts';
import { atEnd } from '../support/end.ts';
import { isAlive, until } from '../support/wait.ts';
import { LOAD_APP } from './service.ts';

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A service whose supervisors are started by the command. All of it ends with the test. */
export class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'handover-replaced-'));
  readonly socket = join(this.folder, 'control.sock');
  readonly client = new ControlClient(this.socket);
  readonly pids = new Set<number>();
  log = '';

  constructor(t: TestContext) {
    writeFileSync(join(this.folder, 'version'), '1');
    atEnd(t, async () => {
      await this.client.stop().catch(() => {});
      await this.client.close();
      await until(() => [...this.pids].every((pid) => !isAlive(pid)), 'the end of every process').catch(() => {
        for (const pid of this.pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      });
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  get runArguments(): string[] {
    return ['--socket', this.socket, '--log', 'json', '--listen', '127.0.0.1:0', LOAD_APP];
  }

  /** Starts a command. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, node = process.execPath) {
    const child = spawn(node, [CLI, ...args], {
      env: { ...process.env, VERSION_FILE: join(this.folder, 'version'), ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    });
    if (child.pid) this.pids.add(child.pid);
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
      this.log += text;
    });
    const ended = new Promise<Ended>((done) => child.once('exit', (code) => done({ code, out, err })));
    return { child, ended };
  }

  async run(workers = 1) {
    const started = this.start(['run', '--workers', String(workers), ...this.runArguments]);
    const status = await this.serving();
    return { ...started, port: Number(status.listeners[0]?.address.split(':').pop()) };
  }

  async serving(isSo: (status: Status) => boolean = () => true): Promise<Status> {
    return until(
      async () => {
        const status = await this.client.status().catch(() => null);
        const all = status ? [status.active, status.standby] : [];
        for (const one of all.flatMap((each) => each?.workers ?? [])) if (one.pid !== null) this.pids.add(one.pid);
        if (status) this.pids.add(status.supervisor.pid);
        return status?.phase === 'steady' && isSo(status) ? status : null;
      },
      () => `the service; the log was:\n${this.log}`
    );
  }
}
