import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { withService } from './service.ts';
import { Traffic } from './traffic.ts';

// What a real Prometheus makes of the numbers.

const missing = ['/usr/bin/prometheus', '/usr/bin/promtool'].filter((path) => !existsSync(path));
const skip = missing.length > 0 ? `${missing.join(' and ')} not installed (Debian: apt-get install prometheus)` : false;

test('promtool finds nothing to say about the metrics', { skip }, async () => {
  await withService({ admin: '127.0.0.1:0', workers: 2 }, async (service) => {
    const { address } = await service.line('admin');
    await service.client.reload();
    const text = await (await fetch(`http://${String(address)}/metrics`)).text();
    const promtool = spawn('/usr/bin/promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [promtool.stdout, promtool.stderr]) stream.on('data', (part) => (said += String(part)));
    promtool.stdin.end(text);
    const [code] = await once(promtool, 'exit');
    assert.deepEqual([code, said], [0, '']);
  });
});

test('a Prometheus that scrapes each second counts what clients got, over a reload', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-prometheus-'));
  const port = await freePort();
  await withService({ admin: '127.0.0.1:0', workers: 2 }, async (service) => {
    const { address } = await service.line('admin');
    const job = { job_name: 'handover', static_configs: [{ targets: [String(address)] }] };
    const config = join(folder, 'prometheus.yml');
    // JSON is YAML.
    writeFileSync(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }));
    const flags = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`
    ];
    const prometheus = spawn('/usr/bin/prometheus', flags, { stdio: ['ignore', 'ignore', 'ignore'] });
    const exited = once(prometheus, 'exit');
    try {
      const ask = async (query: string): Promise<number | null> => {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
        const answer = await fetch(url).catch(() => null);
        if (!answer?.ok) return null;
        const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
        return data.result[0] ? Number(data.result[0].value[1]) : null;
      };
      await until(() => ask('up{job="handover"} == 1'), 'that Prometheus has scraped');
      const traffic = await new Traffic(service.port).begin(2, 1, 1);
      await service.client.reload();
      await traffic.end();
      assert.deepEqual(traffic.failures, []);
      const counted = 'sum(handover_http_requests_total{code="2xx"})';
      await until(
        async () => (await ask(counted)) === traffic.answers,
        () => `${traffic.answers} answers in Prometheus`
      );
      await until(async () => (await ask('handover_generation{role="active"}')) === 2, 'generation 2 in Prometheus');
      assert.equal(await ask('handover_handovers_total{kind="reload",outcome="done"}'), 1);
    } finally {
      prometheus.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
