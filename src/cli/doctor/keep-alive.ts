import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Finding, ok, type Patient, unknown, wrong } from './finding.ts';
import { read } from './machine.ts';

/** What nginx does where it does not say otherwise. */
const NGINX_MS = 60_000;
const ANSWER_MS = 3_000;
const CHECK = 'keep-alive';

/**
 * Compares how long a proxy keeps idle connections with how long the app does: where the app closes first, a request that
 * is just on its way is lost, which the proxy answers with 502.
 */
export async function checkKeepAlive({ running, proxyMs }: Patient): Promise<Finding> {
  const address = running?.status.listeners.map((one) => one.address).find((one) => /:\d+$/.test(one));
  const proxy = proxyMs === null ? findNginx(address) : { ms: proxyMs, what: 'the proxy (--proxy-keep-alive)' };
  if (proxy === null)
    return unknown(CHECK, 'no nginx of this machine names its address; say it with --proxy-keep-alive 60s');
  if (address === undefined)
    return unknown(
      CHECK,
      `${proxy.what} keeps idle connections for ${proxy.ms / 1000} s; no supervisor of this folder runs that could be asked`
    );
  const ownMs = await measure(address);
  if (ownMs === null)
    return unknown(
      CHECK,
      `how long the app keeps idle connections: it does not say so in an answer to HEAD / on ${address}`
    );
  const said = `the app keeps idle connections for ${ownMs / 1000} s, ${proxy.what} for ${proxy.ms / 1000} s`;
  if (ownMs > proxy.ms) return ok(CHECK, said);
  return wrong(
    CHECK,
    `${said}: a request that comes as the app closes is answered with 502`,
    `server.keepAliveTimeout = ${proxy.ms + 5_000} in the app, or a shorter keepalive_timeout in the upstream of nginx`
  );
}

/** The upstream of an nginx of this machine that names a port, and keeps connections to it. */
function findNginx(address: string | undefined): { ms: number; what: string } | null {
  const [, port] = /:(\d+)$/.exec(address ?? '') ?? [];
  if (port === undefined) return null;
  for (const text of readConfigs('/etc/nginx')) {
    for (const [, name, block = ''] of text.replace(/#.*$/gm, '').matchAll(/\bupstream\s+(\S+)\s*\{([^}]*)\}/g)) {
      if (!new RegExp(`\\bserver\\s+\\S*:${port}\\b`).test(block) || !/\bkeepalive\s+\d/.test(block)) continue;
      const [, number, unit = 's'] = /\bkeepalive_timeout\s+(\d+)(ms|s|m)?/.exec(block) ?? [];
      const ms = number === undefined ? NGINX_MS : Number(number) * ({ ms: 1, s: 1_000, m: 60_000 }[unit] ?? 1_000);
      return { ms, what: `nginx (upstream ${name})` };
    }
  }
  return null;
}

function readConfigs(folder: string): string[] {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files.flatMap((file) => read(join(folder, file)) ?? []);
  } catch {
    return []; // no nginx here
  }
}

/** How long an app says that it keeps an idle connection; null where it does not. */
function measure(address: string): Promise<number | null> {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const name = host.replace(/^\[|\]$/g, '');
  const where = name === '' || name === '*' || name === '0.0.0.0' || name === '::' ? '127.0.0.1' : name;
  return new Promise((done) => {
    const headers = { connection: 'keep-alive' };
    const asked = request({ host: where, port, method: 'HEAD', path: '/', headers, timeout: ANSWER_MS }, (response) => {
      const [, seconds] = /timeout=(\d+)/.exec(String(response.headers['keep-alive'] ?? '')) ?? [];
      done(seconds === undefined ? null : Number(seconds) * 1_000);
      asked.destroy();
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', () => done(null));
    asked.end();
  });
}
