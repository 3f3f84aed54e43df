import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Fence } from './fences.ts';
import type { Machine } from './machine.ts';

// Configuration of other programs, checked by the program it is for.

interface Checker {
  readonly program: string;
  /** The name of the file, and the whole of it; what it refers to, unless it is that. */
  readonly file: (text: string) => string;
  readonly beside?: Readonly<Record<string, string>>;
  readonly whole: (text: string, folder: string) => string;
  readonly args: (file: string) => readonly string[];
  /** Whether the program accepted it. */
  readonly isFine: (code: number | null, said: string) => boolean;
}

const FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

const CHECKERS: Readonly<Record<string, Checker>> = {
  ini: {
    program: 'systemd-analyze',
    file: (text) => (text.includes('[Socket]') ? 'shop.socket' : 'shop.service'),
    beside: {
      'shop.service': '[Service]\nExecStart=/bin/true\n',
      'shop.socket': '[Socket]\nListenStream=80\n'
    },
    whole: (text) => text,
    args: (file) => ['verify', file],
    // It exits with 0 for what it ignores, and names the file.
    isFine: (code, said) => code === 0 && !/shop\.(service|socket)/.test(said)
  },
  nginx: {
    program: 'nginx',
    file: () => 'nginx.conf',
    whole: (text, folder) => {
      const places = FOLDERS.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n');
      // It binds what it is to listen on, also in a check.
      const http = text.replace(/listen \d+;/, `listen unix:${folder}/front.sock;`);
      return `pid ${folder}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n${places}\naccess_log off;\n${http}}\n`;
    },
    args: (file) => ['-t', '-c', file],
    isFine: (code, said) => code === 0 && !said.includes('[warn]')
  },
  haproxy: {
    program: 'haproxy',
    file: () => 'haproxy.cfg',
    whole: (text) => text,
    args: (file) => ['-c', '-f', file],
    isFine: (code, said) => code === 0 && !said.includes('[WARNING]')
  }
};

const PATH = [process.env.PATH, '/usr/sbin', '/usr/local/sbin', '/sbin'].join(':');
const start = (program: string, args: readonly string[], cwd?: string) =>
  spawnSync(program, args, { env: { ...process.env, PATH }, encoding: 'utf8', cwd, timeout: 20_000 });

/** Why a fence cannot be checked here, or false. */
export function cannotCheck({ language }: Fence): string | false {
  const { program } = CHECKERS[language] ?? assert.fail(`nothing checks "${language}"`);
  return start(program, ['--version']).error ? `${program} is not installed` : false;
}

export function checkConfiguration(machine: Machine, { language, text }: Fence): void {
  const {
    program,
    file: nameOf,
    beside = {},
    whole,
    args,
    isFine
  } = CHECKERS[language] ?? assert.fail(`nothing checks "${language}"`);
  for (const [name, content] of Object.entries(beside)) machine.write(name, content);
  const file = nameOf(text);
  machine.write(file, machine.adapt(whole(text, machine.folder)));
  const { status, stdout, stderr } = start(program, args(join(machine.folder, file)), machine.folder);
  const said = `${stdout}${stderr}`;
  assert.ok(isFine(status, said), `${program} exits with ${status}:\n${said}`);
}
