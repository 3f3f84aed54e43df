import { existsSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';

export const HAPROXY = '/usr/sbin/haproxy';

/** Where it says what it thinks, beside its configuration. */
const STATS = 'haproxy.sock';

/** Where a machine serves, and where it says whether clients are to be sent there. */
export interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly agentPort: number;
  /** What stands before a command that is to run there; nothing where it is this very machine. */
  readonly enter?: readonly string[];
}

/** A real HAProxy that asks each machine by its agent check whether to send clients there, and by a plain check whether it serves. */
export async function startProxy(file: string, port: number, places: readonly Place[]): Promise<Child> {
  writeFileSync(file, configure(port, places, join(dirname(file), STATS)));
  const proxy = new Child('HAProxy', HAPROXY, ['-db', '-f', file]);
  for (const deadline = performance.now() + 10_000; !(await isOpen(port)); await delay(20)) {
    if (proxy.isOver || performance.now() > deadline)
      throw new Error(`HAProxy did not start:\n${proxy.lines.join('\n')}`);
  }
  return proxy;
}

/** What came of its last question to the agent of a machine, such as `L7OK` or `L7TOUT`. @param folder of its configuration */
export async function agentStatus(folder: string, machine: string): Promise<string> {
  const csv = await new Promise<string>((resolve, reject) => {
    const asked = get({ socketPath: join(folder, STATS), path: '/;csv' }, async (answer) => {
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      resolve(text);
    });
    asked.once('error', reject);
  });
  const [head = '', ...rows] = csv.split('\n').map((line) => line.split(','));
  return rows.find(([, name]) => name === machine)?.[head.indexOf('agent_status')] ?? '';
}

export const hasHaproxy = () => existsSync(HAPROXY);

function configure(port: number, places: readonly Place[], stats: string): string {
  const servers = places.map(({ name, host, port, agentPort }) => {
    const agent = `agent-check agent-addr ${host} agent-port ${agentPort} agent-inter 100ms`;
    return `  server ${name} ${host}:${port} check ${agent}`;
  });
  return `
global
  maxconn 2000
defaults
  mode http
  option redispatch
  retries 3
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 2s
frontend service
  bind 127.0.0.1:${port}
  default_backend machines
frontend stats
  bind unix@${stats}
  stats enable
  stats uri /
backend machines
  balance roundrobin
  default-server inter 200ms fall 2 rise 1
${servers.join('\n')}
`;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
