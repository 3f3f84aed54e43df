import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Status } from '../../src/core/status.ts';
import { ask } from '../support/http.ts';
import { inTime, until } from '../support/wait.ts';

/** The command as it is installed. */
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** An app that says which version it is and what it was started with. `/slow` takes until there is a file `go`. */
const APP = `
const { existsSync } = require('node:fs');
const { createServer } = require('node:http');
const args = process.argv.slice(2);
createServer((request, response) => {
  const answer = () => response.end(JSON.stringify({ version: 1, args, cwd: process.cwd(), env: process.env.GIVEN }));
  const look = () => (existsSync('go') ? answer() : setTimeout(look, 5));
  if (request.url.startsWith('/slow')) look();
  else answer();
}).listen(process.env.PORT || 0);
`;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the command, while it runs. */
export interface Running {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until it has ended. */
  readonly ended: () => Promise<Outcome>;
  /** Waits until stdout or stderr match. */
  readonly says: (text: RegExp) => Promise<void>;
}

/** A user with a folder, an app in it and supervisors of their own. All of it ends with the test. */
export class Home {
  readonly folder: string;
  readonly runtime: string;
  readonly #processes: Running[] = [];

  constructor(t: TestContext) {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'handover-cli-')));
    this.folder = join(root, 'app');
    this.runtime = join(root, 'run');
    mkdirSync(this.runtime);
    this.write('package.json', '{"name":"shop"}');
    this.write('server.js', APP);
    t.after(async () => {
      await this.#end();
      rmSync(root, { recursive: true, force: true });
    });
  }

  /** Writes a file of the folder. */
  write(path: string, content: string): string {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** Where the control socket of an app is. */
  socket(name: string): string {
    return join(this.runtime, 'handover', `${name}.sock`);
  }

  /** Runs a command to its end. */
  async handover(...args: string[]): Promise<Outcome> {
    return this.start(args).ended();
  }

  /** Runs a command whose stdout must be exactly one JSON object. */
  async json(...args: string[]): Promise<{ code: number | null; answer: Record<string, unknown> }> {
    const { code, stdout, stderr } = await this.handover(...args, '--json');
    assert.equal(stderr, '');
    assert.match(stdout, /^\{.*\}\n$/, 'stdout is one line with one object');
    return { code, answer: JSON.parse(stdout) };
  }

  /** What `status --json` says. Where one supervisor is there, it is asked without a process of the command for it. */
  async status(...args: string[]): Promise<Status> {
    const folder = join(this.runtime, 'handover');
    const [socket = '', ...others] = readdirSync(folder).filter((file) => file.endsWith('.sock'));
    if (args.length === 0 && socket !== '' && others.length === 0)
      return JSON.parse((await ask({ socketPath: join(folder, socket) }, '/status')).body);
    const { code, answer } = await this.json('status', ...args);
    assert.equal(code, 0, JSON.stringify(answer));
    return answer as unknown as Status;
  }

  /** Starts `handover run` and waits until it serves. */
  async run(...args: string[]): Promise<Running> {
    const running = this.start(['run', '--listen', '127.0.0.1:0', ...args]);
    await running.says(/"event":"started"/);
    return running;
  }

  /** Asks the service that answers on the first address of a supervisor. */
  async ask(path = '/', ...where: string[]): Promise<Record<string, unknown>> {
    const { listeners } = await this.status(...where);
    const answer = await fetch(`http://${listeners[0]?.address}${path}`, { headers: { connection: 'close' } });
    return (await answer.json()) as Record<string, unknown>;
  }

  start(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; cli?: string } = {}): Running {
    const { cwd = this.folder, env = {}, cli = CLI } = options;
    const child = spawn(process.execPath, ['--', cli, ...args], {
      cwd,
      env: { ...environment(), XDG_RUNTIME_DIR: this.runtime, PWD: cwd, ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    });
    const running = follow(child, args.join(' '));
    this.#processes.push(running);
    return running;
  }

  /** Ends what still runs: gracefully, so that no worker is left behind. */
  async #end(): Promise<void> {
    const left = this.#processes.filter(({ process }) => process.exitCode === null && process.signalCode === null);
    for (const { process } of left) process.kill('SIGTERM');
    await Promise.all(left.map(({ ended }) => ended()));
  }
}

/** Nothing of the test runner or its loader may reach the command. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, PORT: _port, ...rest } = process.env;
  return rest;
}

function follow(child: ChildProcess, what: string): Running {
  const text = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const closed = new Promise<Outcome>((done) => child.once('close', (code) => done({ code, ...text })));
  const told = () => `${text.stdout}\n${text.stderr}`;
  return {
    process: child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    ended: () => inTime(closed, `the end of \`handover ${what}\`, which so far said: ${told()}`),
    says: async (wanted) => {
      await until(() => {
        const over = child.exitCode !== null || child.signalCode !== null;
        if (over && !wanted.test(told())) throw new Error(`\`handover ${what}\` ended with:\n${told()}`);
        return wanted.test(told());
      }, `${wanted} from \`handover ${what}\``);
    }
  };
}
