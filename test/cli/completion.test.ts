import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Home } from './run.ts';

const missing = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'true']).status !== 0 && `${shell} is not installed`;

/** What is completed, by the words of the line so far, the last of them begun. */
const LINES: readonly (readonly [line: string, some: readonly string[], not: readonly string[]])[] = [
  ['re', ['reload', 'retire'], ['run']],
  ['reload --wa', ['--wait'], ['--workers']],
  ['run --strategy ro', ['rolling'], ['rollback']],
  ['install --socket-a', ['--socket-activation'], []],
  ['install --listen-g', ['--listen-group'], []],
  ['completion ', ['bash', 'zsh', 'fish'], []],
  ['help sta', ['status'], []],
  ['run ser', ['server.js'], ['package.json']]
];

test('bash completes commands, options, values and files', { skip: missing('bash') }, async (t) => {
  const home = new Home(t);
  const script = home.write('completion.bash', (await home.handover('completion', 'bash')).stdout);
  for (const [line, some, not] of LINES) {
    const words = ['handover', ...line.split(' ')].map((word) => `'${word}'`).join(' ');
    const code = `source ${script}; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _handover; printf '%s\\n' "\${COMPREPLY[@]}"`;
    check(line, spawnSync('bash', ['--norc', '-c', code], { cwd: home.folder, encoding: 'utf8' }), some, not);
  }
});

test('fish completes commands, options, values and files', { skip: missing('fish') }, async (t) => {
  const home = new Home(t);
  const script = home.write('completion.fish', (await home.handover('completion', 'fish')).stdout);
  const env = { ...process.env, HOME: home.folder, XDG_CONFIG_HOME: join(home.folder, 'config') };
  for (const [line, some, not] of LINES) {
    const code = `source ${script}; complete -C 'handover ${line}' | string replace -r '\\t.*' ''`;
    check(line, spawnSync('fish', ['-c', code], { cwd: home.folder, encoding: 'utf8', env }), some, not);
  }
});

test('zsh completes commands, options and values', { skip: missing('zsh') }, async (t) => {
  const home = new Home(t);
  const script = home.write('completion.zsh', (await home.handover('completion', 'zsh')).stdout);
  // The functions of its completion system need a terminal: what they are given is what is looked at.
  const system = `compdef() { :; }; compadd() { shift; print -l -- $@; }; _files() { print -l -- *; }
    _describe() { print -l -- \${(P)2}; }`;
  for (const [line, some] of LINES) {
    const words = ['handover', ...line.split(' ')].map((word) => `'${word}'`).join(' ');
    const code = `${system}; source ${script}; words=(${words}); CURRENT=$#words; _handover`;
    const done = spawnSync('zsh', ['-f', '-c', code], { cwd: home.folder, encoding: 'utf8' });
    check(line, { ...done, stdout: done.stdout.replace(/:.*$/gm, '') }, some, []);
  }
});

interface Done {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function check(line: string, { stdout, stderr }: Done, some: readonly string[], not: readonly string[]): void {
  const found = stdout.split('\n');
  for (const word of some) assert.ok(found.includes(word), `${line}: ${word} is not in ${found.join(' ')}; ${stderr}`);
  for (const word of not) assert.ok(!found.includes(word), `${line}: ${word} is in ${found.join(' ')}`);
  assert.equal(stderr, '', line);
}

test('another shell is refused by name', async (t) => {
  const { code, stdout, stderr } = await new Home(t).handover('completion', 'csh');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /it must be one of bash, zsh, fish, and it is "csh"/);
});
