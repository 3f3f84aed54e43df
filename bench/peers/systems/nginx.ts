import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../model.ts';
import { freePort, type Sandbox, type Started } from '../sandbox.ts';
import { CANARY_MS, CANARY_NOTE, CANARY_PERCENT } from './canary.ts';

// nginx in front of the app, on two ports: the new version starts on the free one, is asked until it answers, the
// configuration is written with its port, `nginx -s reload`, and then the old version is stopped.
//
// Sources of the script: https://the-practical-developer.online/posts/blue-green-deployments-nginx-nodejs/,
// https://dev.to/justincy/blue-green-node-js-deploys-with-nginx-bkc. Of the directives:
// https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive, https://nginx.org/en/docs/control.html,
// https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout.

/** How long tutorials sleep before they stop the old version. */
const SOON_MS = 500;

interface Variant {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly rollbackNote: string;
  readonly steadyAs?: string;
  /** Kept-alive connections to the app. */
  readonly keepsUpstream: boolean;
  /** What happens to the old version once nginx has been told. */
  readonly old: 'stopped soon' | 'drained' | 'kept';
  /** Whether the new version answers a tenth first. */
  readonly isCanary?: boolean;
}

/** As tutorials give it: what is not named has nginx's default. */
const PLAIN = `
      proxy_pass http://app;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;

/** As the documentation of \`keepalive\` asks for. */
const KEPT = `
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;

/** By chance. https://nginx.org/en/docs/http/ngx_http_split_clients_module.html */
const splitting = (canaryPort: number) => `
  split_clients $request_id $version {
    ${CANARY_PERCENT}% canary;
    * app;
  }
  upstream canary {
    server 127.0.0.1:${canaryPort};
    keepalive 64;
  }`;

/** The whole configuration. Everything nginx writes stays in the folder. */
const configuration = (sandbox: Sandbox, appPort: number, canaryPort: number | null, { keepsUpstream }: Variant) => `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes auto;
daemon off;
pid ${sandbox.path('nginx.pid')};
error_log ${sandbox.path('error.log')};
worker_shutdown_timeout ${Math.ceil(sandbox.drainMs / 1000)}s;
events {
  worker_connections 1024;
}
http {
  access_log off;
  client_body_temp_path ${sandbox.path('body')};
  proxy_temp_path ${sandbox.path('proxy')};
  fastcgi_temp_path ${sandbox.path('fastcgi')};
  uwsgi_temp_path ${sandbox.path('uwsgi')};
  scgi_temp_path ${sandbox.path('scgi')};
${canaryPort === null ? '' : splitting(canaryPort)}
  upstream app {
    server 127.0.0.1:${appPort};${keepsUpstream ? '\n    keepalive 64;' : ''}
  }
  server {
    listen 127.0.0.1:${sandbox.port};
    location / {${(keepsUpstream ? KEPT : PLAIN).replace('http://app', canaryPort === null ? 'http://app' : 'http://$version')}
    }
  }
}
`;

const variant = (options: Variant): System => ({
  ...(options.steadyAs && { steadyAs: options.steadyAs }),
  id: options.id,
  name: options.name,
  note: options.note,
  rollbackNote: options.rollbackNote,
  deathNote: 'The master is killed: its workers serve on, and a new master cannot bind the port while they do.',
  file: import.meta.url,
  version: () => ({ nginx: /nginx\/(\S+)/.exec(nginx('-v'))?.[1] ?? 'unknown' }),
  missing: () =>
    nginx('-v') === '' ? { why: 'nginx is not installed', install: 'apt-get install nginx-light' } : null,
  async start(sandbox) {
    const ports = [await freePort(), await freePort()] as [number, number];
    const configured = (appPort: number, canaryPort: number | null = null) =>
      sandbox.write('nginx.conf', configuration(sandbox, appPort, canaryPort, options));
    const flags = ['-c', configured(ports[0]), '-p', sandbox.folder, '-e', sandbox.path('error.log')];
    let app = await sandbox.startApp(ports[0]);
    let before: Started | null = null;
    const startMaster = async () => {
      const started = sandbox.start('nginx', flags);
      await sandbox.waitForAnswer(sandbox.port, started);
      return started;
    };
    let master = await startMaster();

    const reload = async () => {
      await sandbox.run('nginx', [...flags, '-t']);
      await sandbox.run('nginx', [...flags, '-s', 'reload']);
    };
    /** Points nginx at the other port. */
    const turn = async () => {
      ports.reverse();
      configured(ports[0]);
      await reload();
    };
    /** Sends a tenth of the requests to the other port, for a while. */
    const tryNext = async () => {
      const workers = childrenOf(master.pid);
      configured(...ports);
      await reload();
      await allLeaving(workers);
      await delay(CANARY_MS);
    };
    return {
      async deploy() {
        if (before) await sandbox.stop(before);
        const old = app;
        app = await sandbox.startApp(ports[1]);
        if (options.isCanary) await tryNext();
        const workers = childrenOf(master.pid);
        await turn();
        if (options.old === 'stopped soon') {
          await delay(SOON_MS);
          await sandbox.stop(old);
        }
        if (options.old === 'drained') {
          await allGone(workers, sandbox.drainMs);
          await sandbox.stop(old);
        }
        if (options.old === 'kept') {
          before = old;
          await allLeaving(workers);
        }
      },
      ...(options.old === 'kept' && {
        async rollback() {
          const workers = childrenOf(master.pid);
          await turn();
          [app, before] = [before ?? app, app];
          await allLeaving(workers);
        }
      }),
      owner: () => master.pid,
      async startAgain() {
        master = await startMaster();
      }
    };
  }
});

function nginx(flag: string): string {
  const { stdout, stderr } = spawnSync('nginx', [flag], { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

function childrenOf(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ');
}

/** Waits until the workers of the old configuration have finished, at most for the drain budget. */
async function allGone(workers: readonly string[], budgetMs: number): Promise<void> {
  const until = performance.now() + budgetMs;
  while (performance.now() < until && workers.some((pid) => titleOf(pid).includes('nginx'))) await delay(20);
}

/** Waits until the workers of the old configuration take no more connections: their title says so then. */
async function allLeaving(workers: readonly string[]): Promise<void> {
  const until = performance.now() + 5_000;
  const isWorking = (pid: string) =>
    titleOf(pid).includes('nginx: worker process') && !titleOf(pid).includes('shutting');
  while (performance.now() < until && workers.some(isWorking)) await delay(2);
}

function titleOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it is gone
  }
}

export const nginxTutorial = variant({
  id: 'nginx',
  name: 'nginx, two ports, as in tutorials',
  note: 'The old version is stopped half a second after `nginx -s reload`, which does not wait for the old workers; at once would lose hundreds more.',
  rollbackNote: 'The old version was stopped: one more deploy.',
  keepsUpstream: false,
  old: 'stopped soon'
});

export const nginxCareful = variant({
  id: 'nginx-careful',
  name: 'nginx, two ports, careful',
  note: 'Keeps its connections to the app, and stops the old version only when the old nginx workers are gone.',
  rollbackNote: 'The old version was stopped: one more deploy.',
  keepsUpstream: true,
  old: 'drained'
});

export const nginxKept = variant({
  id: 'nginx-kept',
  name: 'nginx, two ports, old version kept',
  note: 'Tuned for the rollback: as the careful one, and the old version runs on until the next deploy.',
  rollbackNote: 'The configuration before, and `nginx -s reload`: nothing is started.',
  steadyAs: 'nginx-careful',
  keepsUpstream: true,
  old: 'kept'
});

export const nginxCanary = variant({
  id: 'nginx-canary',
  name: 'nginx, canary by split_clients',
  note: CANARY_NOTE,
  rollbackNote: 'The configuration before, and `nginx -s reload`: nothing is started.',
  steadyAs: 'nginx-careful',
  keepsUpstream: true,
  old: 'kept',
  isCanary: true
});
