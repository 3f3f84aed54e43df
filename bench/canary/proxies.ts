import { spawnSync } from 'node:child_process';
import type { Beside } from '../load/connection.ts';
import { withDescendants } from '../peers/process-tree.ts';
import { freePort, Sandbox } from '../peers/sandbox.ts';
import type { Context } from '../rig/model.ts';
import { APP } from '../rig/service.ts';

// The same split by the same cookie, as it is done elsewhere: a proxy in front of two processes.
//
// Of the directives: https://nginx.org/en/docs/http/ngx_http_split_clients_module.html,
// https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive,
// https://docs.haproxy.org/2.6/configuration.html#7.3.1-mod, https://docs.haproxy.org/2.6/configuration.html#4-http-reuse

const DRAIN_MS = 2_000;

/** What the app is started with. */
type Env = Readonly<Record<string, string>>;

export interface Proxy {
  readonly name: string;
  /** Why it cannot be measured, or null. */
  missing(): string | null;
  /** Starts it before two versions; `percent` of the users get the second. */
  start(context: Context, percent: number, env: Env): Promise<Running>;
}

interface Running {
  readonly port: number;
  /** Where the client itself sends the share of the second version; null where it does not have to know. */
  readonly beside: Beside | null;
  /** Its own processes, and the two behind it. */
  readonly pids: readonly number[];
  end(): Promise<void>;
}

interface Ports {
  readonly first: number;
  readonly second: number;
}

/** Kept-alive connections to both, and one process, for it has one core. */
const nginxConfiguration = (sandbox: Sandbox, { first, second }: Ports, percent: number) => `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${sandbox.path('nginx.pid')};
error_log ${sandbox.path('error.log')};
events {
  worker_connections 1024;
}
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path ${sandbox.path('body')};
  proxy_temp_path ${sandbox.path('proxy')};
  fastcgi_temp_path ${sandbox.path('fastcgi')};
  uwsgi_temp_path ${sandbox.path('uwsgi')};
  scgi_temp_path ${sandbox.path('scgi')};
  split_clients $cookie_session $version {
    ${100 - percent}% first;
    * second;
  }
  upstream first {
    server 127.0.0.1:${first};
    keepalive 64;
    keepalive_requests 100000000;
  }
  upstream second {
    server 127.0.0.1:${second};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${sandbox.port};
    location / {
      proxy_pass http://$version;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
}
`;

const haproxyConfiguration = (sandbox: Sandbox, { first, second }: Ports, percent: number) => `
global
  nbthread 1
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend service
  bind 127.0.0.1:${sandbox.port}
  use_backend second if { req.cook(session),xxh32,mod(100) lt ${percent} }
  default_backend first
backend first
  server app 127.0.0.1:${first}
backend second
  server app 127.0.0.1:${second}
`;

export const PROXIES: readonly Proxy[] = [
  proxy('nginx split_clients', 'nginx', (sandbox, ports, percent) => {
    const file = sandbox.write('nginx.conf', nginxConfiguration(sandbox, ports, percent));
    return ['-c', file, '-p', sandbox.folder, '-e', sandbox.path('error.log')];
  }),
  proxy('HAProxy', 'haproxy', (sandbox, ports, percent) => [
    '-db',
    '-f',
    sandbox.write('haproxy.cfg', haproxyConfiguration(sandbox, ports, percent))
  ])
];

/** The most that any split can reach on this machine: two processes, and a client that sends each request to the right one. */
export const IDEAL: Proxy = {
  name: 'split by the client',
  missing: () => null,
  start: ({ machine }, percent, env) =>
    withSandbox(machine.pins?.server ?? null, async (sandbox) => {
      const second = await startBoth(sandbox, env, sandbox.port);
      return { port: sandbox.port, beside: { port: second, share: percent / 100 }, pids: sandbox.pids };
    })
};

function proxy(
  name: string,
  program: string,
  configure: (sandbox: Sandbox, ports: Ports, percent: number) => string[]
): Proxy {
  return {
    name,
    missing: () => (spawnSync(program, ['-v']).error ? `${program} is not installed` : null),
    start: ({ machine }, percent, env) =>
      withSandbox(machine.pins?.server ?? null, async (sandbox) => {
        const first = await freePort();
        const second = await startBoth(sandbox, env, first);
        const started = sandbox.start(program, configure(sandbox, { first, second }, percent));
        await sandbox.waitForAnswer(sandbox.port, started);
        const { port, pids } = sandbox;
        return { port, beside: null, pids: [...new Set([...pids, ...withDescendants(started.pid)])] };
      })
  };
}

async function withSandbox(
  core: number | null,
  start: (sandbox: Sandbox) => Promise<Omit<Running, 'end'>>
): Promise<Running> {
  const sandbox = await Sandbox.create({ drainMs: DRAIN_MS, core });
  try {
    return { ...(await start(sandbox)), end: () => sandbox.end() };
  } catch (error) {
    await sandbox.end();
    throw error;
  }
}

/** @returns the port of the second version */
async function startBoth(sandbox: Sandbox, env: Env, first: number): Promise<number> {
  const second = await freePort();
  await startApp(sandbox, { ...env, PORT: String(second) }, '2');
  await startApp(sandbox, { ...env, PORT: String(first) }, '1');
  return second;
}

async function startApp(sandbox: Sandbox, env: Env & { readonly PORT: string }, version: string): Promise<void> {
  sandbox.version = version;
  const app = sandbox.start(sandbox.node, [APP], { env: { ...sandbox.env, ...env } });
  await sandbox.waitForAnswer(Number(env.PORT), app);
}
