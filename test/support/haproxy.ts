import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from './end.ts';
import { makeFolder, writeFile } from './folder.ts';
import { freePort } from './service.ts';
import { until } from './wait.ts';

const PROGRAM = '/usr/sbin/haproxy';

/** Why what needs a HAProxy is skipped; false where one is there. */
export const withoutHaproxy = existsSync(PROGRAM)
  ? false
  : `${PROGRAM} is not installed (Debian: apt-get install haproxy)`;

/** A HAProxy that runs until the end of the test. */
export interface Haproxy {
  readonly port: number;
  /** What it thinks of a server: such as `UP`, `DRAIN (agent)`, `DOWN (agent)`. */
  state(server: string): Promise<string>;
  /** Waits until it thinks so. */
  thinks(server: string, state: string): Promise<void>;
}

/** Starts one in front of some servers, by their lines of the config after the name. */
export async function startHaproxy(t: TestContext, servers: Readonly<Record<string, string>>): Promise<Haproxy> {
  const [port, statsPort] = [await freePort(), await freePort()];
  const lines = Object.entries(servers).map(([name, line]) => `  server ${name} ${line}`);
  const folder = makeFolder(t);
  const config = `
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 2s
frontend public
  bind 127.0.0.1:${port}
  default_backend shop
frontend stats
  bind 127.0.0.1:${statsPort}
  stats enable
  stats uri /stats
backend shop
${lines.join('\n')}
`;
  const path = writeFile(join(folder, 'haproxy.cfg'), config);
  const child = spawn(PROGRAM, ['-db', '-f', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part) => {
    said += String(part);
  });
  const exited = once(child, 'exit');
  atEnd(t, async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const state = async (server: string): Promise<string> => {
    if (child.exitCode !== null) throw new Error(`HAProxy ended with ${child.exitCode}: ${said}`);
    const answer = await fetch(`http://127.0.0.1:${statsPort}/stats;csv`).catch(() => null);
    const [head = '', ...rows] = ((await answer?.text()) ?? '').split('\n');
    const at = head.split(',').indexOf('status');
    return rows.map((row) => row.split(',')).find(([, name]) => name === server)?.[at] ?? '';
  };
  await until(async () => (await state('BACKEND')) !== '', `HAProxy to be there: ${said}`);
  const thinks = async (server: string, wanted: string) => {
    let seen = '';
    await until(
      async () => {
        seen = await state(server);
        return seen === wanted;
      },
      () => `${server} to be ${wanted}; it is ${seen}`
    );
  };
  return { port, state, thinks };
}
