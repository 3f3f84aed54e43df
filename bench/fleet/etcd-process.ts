import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../peers/sandbox.ts';
import { Child } from './child.ts';

export const ETCD = '/usr/bin/etcd';

export const hasEtcd = () => existsSync(ETCD);

/** Starts an etcd for itself, with its data in a folder. */
export async function startEtcdProcess(folder: string): Promise<{ readonly endpoint: string; readonly child: Child }> {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const own = `http://127.0.0.1:${await freePort()}`;
  const child = new Child('etcd', ETCD, [
    ...['--data-dir', folder, '--log-level', 'error', '--logger', 'zap'],
    ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint, '--listen-peer-urls', own],
    ...['--initial-advertise-peer-urls', own, '--initial-cluster', `default=${own}`]
  ]);
  for (const deadline = performance.now() + 20_000; !(await answers(endpoint)); await delay(50)) {
    if (child.isOver || performance.now() > deadline) throw new Error(`etcd did not start:\n${child.lines.join('\n')}`);
  }
  return { endpoint, child };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${endpoint}/v3/kv/range`, { method: 'POST', body: '{"key":"AA=="}' });
    return ok;
  } catch {
    return false; // not yet
  }
}
