import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './model.ts';

// Proxies in front of an app, with connections to it that they keep and use again. Neither asks twice.

/** Why a program cannot be used, or null. */
export function isMissing(program: string, flag: string, from: string): string | null {
  return spawnSync(program, [flag]).status === 0 ? null : `${program} is not installed: ${from}`;
}

/** Writes nginx's configuration and returns the command. */
export function nginx({ folder, port, secondPort }: Place): readonly string[] {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {
  worker_connections 1024;
}
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  client_max_body_size 0;
  keepalive_requests 1000000;
  keepalive_timeout 300s;
  upstream app {
    server 127.0.0.1:${port};
    keepalive 32;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${secondPort};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;
      proxy_request_buffering off;
    }
  }
}
`
  );
  return ['nginx', '-c', file, '-p', folder, '-e', join(folder, 'error.log')];
}

/** Writes HAProxy's configuration and returns the command. */
export function haproxy({ folder, port, secondPort }: Place): readonly string[] {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  maxconn 1000
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend service
  bind 127.0.0.1:${secondPort}
  default_backend app
backend app
  http-reuse always
  server app 127.0.0.1:${port}
`
  );
  return ['haproxy', '-db', '-f', file];
}
