import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { atEnd } from '../support/end.ts';
import { makeFolder, writeFile } from '../support/folder.ts';
import { ask, toTarget } from '../support/http.ts';
import { isAlive } from '../support/wait.ts';
import { BUILDS } from './builds.ts';
import { ROOT } from './pages.ts';
import { Program } from './program.ts';

const run = promisify(execFile);

/** An app that passes every check that the docs show. */
const APP = `import { createServer } from 'node:http';
createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'x-version': '4.1' });
  response.end('{"ok":true}');
}).listen(process.env.PORT ?? 3000);
`;

/** What stands around the pages: the files that their commands name. */
const FILES: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "shop", "type": "module", "handover": { "bake": "6s" } }\n',
  'server.js': APP,
  'migrate.js': '',
  '.env.production': 'STAGE=production\n',
  'releases/43/package.json': '{ "type": "module" }\n',
  'releases/43/server.js': APP,
  ...BUILDS,
  'root/srv/app/releases/43/package.json': '{ "type": "module" }\n',
  'root/srv/app/releases/43/server.js': APP
};

/** What `status` says, as far as it matters here. */
interface Status {
  readonly canary: unknown;
  readonly listeners: readonly { readonly address: string }[];
  readonly active: Generation | null;
  readonly standby: Generation | null;
  readonly bake: { readonly leftMs: number } | null;
}

interface Generation {
  readonly generation: number;
  readonly workers: readonly { readonly pid: number }[];
}

/** The folders of a real machine, each of which has its place in the folder of this one. */
const SYSTEM = /(^|[\s=:'"@])\/(srv|opt|run|var)(?=\/)/gm;
const ADDRESS = /(--listen |listen: )(?:127\.0\.0\.1:)?(?:80|3000)\b/g;

/** A machine as the docs suppose one, in a folder: a service, its releases, and the commands. It ends with the test. */
export class Machine {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #t: TestContext;
  #service: Program | null = null;
  /** The control socket of the service. */
  #socket = '';

  constructor(t: TestContext) {
    this.#t = t;
    this.folder = makeFolder(t, FILES);
    const place = (path: string) => join(this.folder, path);
    for (const path of ['root/run/shop', 'root/var/lib/shop', 'root/var/cache', 'root/opt/node-24/bin', 'node_modules'])
      mkdirSync(place(path), { recursive: true });
    symlinkSync(place('root/srv/app/releases/43'), place('root/srv/app/current'));
    symlinkSync(process.execPath, place('root/opt/node-24/bin/node'));
    symlinkSync(ROOT, place('node_modules/handover'));
    for (const name of ['express', 'tsx']) symlinkSync(join(ROOT, 'node_modules', name), place(`node_modules/${name}`));
    for (const path of ['bin/handover', 'root/srv/app/node_modules/.bin/handover'])
      this.#writeCommand(path, `exec '${process.execPath}' '${join(ROOT, 'dist/cli.js')}' "$@"`);
    this.#writeCommand('bin/npx', 'exec "$@"');
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, PORT: _port, ...rest } = process.env;
    const PATH = [place('bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
    this.env = { ...rest, PATH, XDG_RUNTIME_DIR: place('root/run') };
    atEnd(t, () => this.stop().finally(() => this.#service?.kill()));
  }

  /** A text of the docs, for this machine: its folders, and a port of the system's choice. */
  adapt(text: string): string {
    return text
      .replace(SYSTEM, (_, before: string, name: string) => `${before}${this.folder}/root/${name}`)
      .replace(ADDRESS, (_, before: string) => `${before}${before.startsWith('-') ? '127.0.0.1:0' : "'127.0.0.1:0'"}`);
  }

  write(path: string, text: string): void {
    writeFile(join(this.folder, path), text);
  }

  /** Gives one command. It has to succeed, and the service to answer after it. */
  async give(command: string): Promise<void> {
    if (/\bhandover run\b/.test(command)) return this.serve(command);
    const [program = ''] = command.split(' ');
    if (!(await this.#has(program))) return this.#t.diagnostic(`skipped, ${program} is not installed: ${command}`);
    const [, name = ''] = /(?:^|[\s/])handover ([a-z]+)/.exec(command) ?? [];
    await this.#prepare(name, command);
    const pids = await this.#pids();
    const { stdout } = await this.#order(this.adapt(command));
    assert.doesNotMatch(stdout, /"ok":false/, command);
    if (name === 'stop') await this.#ended(pids);
    else await this.#answers();
  }

  /** Starts what supervises, in the place of what ran before, and waits until it serves. */
  async serve(command: string): Promise<void> {
    await this.stop();
    const [, socket = '/run/handover/shop.sock'] = /--socket (\S+)/.exec(command) ?? [];
    this.#socket = this.adapt(`=${socket}`).slice(1);
    this.#service = new Program(this.adapt(command), { cwd: this.folder, env: this.env });
    await this.#service.started();
    await this.#answers();
  }

  /** Waits until a service that ends by itself has ended, and looks at what is left of it. */
  async #ended(pids: readonly number[]): Promise<void> {
    await this.#service?.ended();
    this.#service = null;
    assert.deepEqual(pids.filter(isAlive), []);
    const left = readdirSync(join(this.folder, 'root/run'), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      left.filter((file) => file.endsWith('.sock')),
      []
    );
  }

  /** Stops what runs: with exit code 0, and nothing is left of it. */
  async stop(): Promise<void> {
    if (!this.#service) return;
    const pids = this.#service.isRunning() ? await this.#pids().catch(() => []) : [];
    this.#service.stop();
    await this.#ended(pids);
  }

  async #order(command: string): Promise<{ stdout: string }> {
    return run('sh', ['-c', command], { cwd: this.folder, env: this.env, timeout: 60_000 });
  }

  async #status(): Promise<Status> {
    return JSON.parse((await ask({ socketPath: this.#socket }, '/status')).body) as Status;
  }

  /** The workers of the generations that may be asked for. */
  async #pids(): Promise<number[]> {
    const { active, standby } = await this.#status();
    return [active, standby].flatMap((one) => one?.workers.map(({ pid }) => pid) ?? []);
  }

  async #answers(): Promise<void> {
    const [listener] = (await this.#status()).listeners;
    const { status } = await ask(toTarget(listener?.address ?? ''));
    assert.equal(status, 200);
  }

  async #has(program: string): Promise<boolean> {
    return this.#order(`command -v ${program}`).then(
      () => true,
      () => false
    );
  }

  /** Brings about what a command needs and its page supposes: a service, a standby, a generation that bakes. */
  async #prepare(name: string, command: string): Promise<void> {
    if (!this.#service) await this.serve('handover run server.js --listen 80');
    const reload = () => this.#order(`handover reload --socket ${this.#socket}`);
    const to = Number(/rollback --to (\d+)/.exec(command)?.[1] ?? 0);
    while (to > 0 && ((await this.#status()).active?.generation ?? 0) <= to) await reload();
    const { bake, standby, canary } = await this.#status();
    // A bake that is nearly over may be so before the command has started.
    const needsBake = (name === 'promote' || name === 'abort') && !canary && (bake?.leftMs ?? 0) < 5_000;
    const needsStandby = (name === 'rollback' || name === 'retire') && standby === null;
    if (needsBake || needsStandby) await reload();
  }

  #writeCommand(path: string, line: string): void {
    writeFile(join(this.folder, path), `#!/bin/sh\n${line}\n`);
    chmodSync(join(this.folder, path), 0o755);
  }
}
