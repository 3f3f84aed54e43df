import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeReport } from '../../bench/peers/report/index.ts';
import { latency } from '../../bench/peers/report/plots/latency.ts';
import { slices } from '../../bench/peers/report/plots/slices.ts';
import { timeline } from '../../bench/peers/report/plots/timeline.ts';
import { sortSystems } from '../../bench/peers/report/words.ts';
import type { PeersResult, SystemResult } from '../../bench/peers/result.ts';
import { SAMPLE } from './peers-result.ts';

// The page is drawn for real: the plotting library is installed where it is missing, from its own lockfile.

const folder = mkdtempSync(join(tmpdir(), 'handover-report-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function write(result: PeersResult): Promise<{ html: string; svg: string }> {
  const { html, svg } = await writeReport(result, folder);
  return { html: readFileSync(html, 'utf8'), svg: readFileSync(svg, 'utf8') };
}

let sample = { html: '', svg: '' };
before(async () => {
  sample = await write(SAMPLE);
});

const VOID = ['meta', '!doctype'];

/** The elements that are closed by another one, or never. */
function unbalanced(markup: string): string[] {
  const open: string[] = [];
  for (const [, close, name = '', rest] of markup.matchAll(/<(\/?)([!a-zA-Z][\w:-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (VOID.includes(name.toLowerCase()) || rest?.endsWith('/')) continue;
    if (!close) open.push(name);
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}

/** The cells of a row, as text. */
function cellsOf(markup: string, name: string, table: number): string[] {
  const body = markup.split('<tbody>')[table + 1] ?? '';
  const row = body.split('<tr').find((candidate) => candidate.includes(`>${name}</th>`)) ?? '';
  return [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = '']) => cell.replace(/<[^>]+>/g, ''));
}

const system = (id: string): SystemResult => {
  const found = SAMPLE.systems.find((candidate) => candidate.id === id);
  assert.ok(found);
  return found;
};

test('page and drawing are well-formed, and no name is given twice', () => {
  for (const markup of [sample.html, sample.svg]) {
    assert.deepEqual(unbalanced(markup), []);
    const names = [...markup.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(names, [...new Set(names)]);
  }
  assert.match(sample.svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
});

test('the page names every system, its configuration and its note, and what all was measured on', () => {
  for (const { name, config, note } of SAMPLE.systems) {
    for (const text of [name, config, note]) assert.ok(sample.html.includes(text), text);
  }
  for (const text of [
    SAMPLE.machine.cpu,
    SAMPLE.machine.node,
    '2025-03-14',
    'haproxy 2.6.12',
    '3 rounds of 4 deploys'
  ]) {
    assert.ok(sample.html.includes(text), text);
  }
});

test('the drawing names every system that was measured, when and on what', () => {
  for (const { name, skipped } of SAMPLE.systems)
    assert.equal(sample.svg.includes(`>${name}<`), skipped === null, name);
  assert.ok(sample.svg.includes(`2025-03-14, Node v20.20.2, ${SAMPLE.machine.cpu}, 2 cores`));
});

test('nothing is loaded from anywhere', () => {
  for (const markup of [sample.html, sample.svg]) {
    assert.doesNotMatch(markup, /<(script|link|img|image|iframe|object|use)\b|@import|url\(|\bsrc=/i);
    const links = [...markup.matchAll(/href="([^"]*)"/g)].map(([, to]) => to);
    assert.deepEqual(
      links.filter((to) => !to?.startsWith('#')),
      []
    );
    const addresses = [...markup.matchAll(/https?:\/\/[^"'\s<)]+/g)].map(([address]) => address);
    assert.deepEqual(
      addresses.filter((address) => !address.startsWith('http://www.w3.org/')),
      []
    );
  }
});

test('no value is written that is none', () => {
  for (const markup of [sample.html, sample.svg]) {
    assert.doesNotMatch(markup, /\b(NaN|undefined|null|Infinity)\b|\[object/);
  }
});

test('every plot has a title and a description for those who cannot see it', () => {
  const drawings = [...sample.html.matchAll(/<svg [^>]*>/g)];
  const named = [
    ...sample.html.matchAll(
      /<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)"><title id="\1">[^<]+<\/title><desc id="\2">[^<]+<\/desc>/g
    )
  ];

  assert.equal(drawings.length, 10, 'five plots, wide and narrow');
  assert.equal(named.length, drawings.length);
});

test('failures stand in their columns with a sign besides the colour, and zeros are calm', () => {
  assert.deepEqual(cellsOf(sample.html, 'kill and start', 0), [
    '74,880',
    '✕ 46,501',
    '✕ 46,411',
    '✕ 57',
    '✕ 21',
    '✕ 12',
    '0',
    '0',
    '0',
    '0',
    '0',
    '✕ 300'
  ]);
  assert.deepEqual(cellsOf(sample.html, 'handover, one worker', 0), ['74,100', ...Array(11).fill('0')]);
});

test('a system that was skipped has a row that says why, and which command installs it', () => {
  assert.deepEqual(cellsOf(sample.html, 'Watt (wattpm) restart', 0), [
    'not measured: it needs Node 22.19 or later; npm ci --prefix bench/peers changes that'
  ]);
});

test('what was not measured says so, with a mark that leads to the reason', () => {
  const [, rollback, , , memory] = cellsOf(sample.html, 'socket passing, plain restart', 1);

  assert.equal(rollback, 'not measured 1');
  assert.equal(memory, 'not measured 2');
  assert.ok(sample.html.includes('<li id="deploy-1">It keeps no earlier version.</li>'));
  assert.ok(sample.html.includes('<li id="deploy-2">memory: a process was gone before it was read</li>'));
});

test('figures that were measured with another system say with which', () => {
  assert.equal(cellsOf(sample.html, 'handover, two workers', 2)[0], '1.02 0.98–1.07 1');
  assert.ok(
    sample.html.includes(
      '<li id="standing-1">Measured with “handover, one worker”: the two differ in their deploys only.</li>'
    )
  );
});

test('systems are in the order of what they lost, ours first among equals, those not measured last', () => {
  assert.deepEqual(
    sortSystems(SAMPLE.systems).map(({ id }) => id),
    [
      'handover',
      'handover-two',
      'haproxy',
      'nginx-simple',
      'cluster',
      'pm2',
      'socket-passing',
      'pm2-default',
      'kill-and-start',
      'handover-in-place',
      'watt'
    ]
  );
});

test('all timelines have one scale, however many requests failed', () => {
  const { spec } = timeline(SAMPLE.systems);
  const domains = JSON.stringify(spec?.(800)).match(/"scale":\{"domain":\[[^\]]*\]/g) ?? [];

  assert.ok(domains.length > SAMPLE.systems.length);
  assert.equal(new Set(domains).size, 2, 'one of time, one of counts');
});

test('an answer that took no time has a place on the logarithmic scale', () => {
  const instant = { ...system('handover'), latency: [{ share: 0.5, aroundMs: 0, steadyMs: 0 }] };

  assert.match(JSON.stringify(latency([instant]).spec?.(800)), /"domain":\[0\.01,0\.1\]/);
});

test('the moments around a deploy have one scale, and none where nobody was answered', () => {
  const run = [
    { fromMs: -50, p99Ms: 0 },
    { fromMs: 0, p99Ms: null },
    { fromMs: 50, p99Ms: 420 }
  ];
  const { spec, description } = slices([
    { ...system('handover'), slices: run },
    { ...system('pm2'), slices: [] }
  ]);
  const drawn = JSON.stringify(spec?.(800));

  assert.match(
    drawn,
    /"values":\[\{"from":-50,"to":0,"ms":0\.1,"least":0\.1\},\{"from":50,"to":100,"ms":420,"least":0\.1\}\]/
  );
  assert.equal(drawn.match(/"domain":\[0\.1,1000\]/g)?.length, 1);
  assert.match(description, /: at the worst moment 420 ms\.$/);
});

test('a run in which nothing could be measured makes a page that says so', async () => {
  const skipped = SAMPLE.systems.filter((candidate) => candidate.skipped);
  const { html, svg } = await write({ ...SAMPLE, systems: skipped });

  assert.deepEqual([...unbalanced(html), ...unbalanced(svg)], []);
  assert.match(html, /No system was measured\./);
  assert.equal(html.match(/Not measured: this run did not try it with any system\./g)?.length, 5);
  assert.doesNotMatch(html + svg, /\b(NaN|undefined|null|Infinity)\b/);
});

test('a name or a reason cannot become markup', async () => {
  const odd = { ...system('watt'), name: '<b>odd</b> & "quoted"', skipped: { why: "it's <odd>", install: 'a && b' } };
  const { html, svg } = await write({ ...SAMPLE, systems: [odd, { ...system('pm2'), name: '<i>pm2</i>' }] });

  assert.deepEqual([...unbalanced(html), ...unbalanced(svg)], []);
  assert.doesNotMatch(html + svg, /<b>odd|<odd>|<i>pm2/);
  assert.ok(html.includes('&lt;b&gt;odd&lt;/b&gt; &amp; &quot;quoted&quot;'));
});
