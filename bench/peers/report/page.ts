import type { PeersResult, SystemResult } from '../result.ts';
import { type Content, html, Markup, prose } from './html.ts';
import type { Plot } from './plots/plot.ts';
import { STYLE } from './style.ts';
import { deployTable, failureTable, standingTable } from './tables.ts';
import { countOf, FAILURE_KINDS, FAILURES, failedOf, isOurs, listOf, showCount, showMs, sortSystems } from './words.ts';

/** A plot as it stands on the page: drawn for a wide window and for a narrow one, or not at all. */
export interface Figure extends Pick<Plot, 'title' | 'reading'> {
  readonly drawings: readonly (string | null)[];
}

/** Writes the page, with everything it needs inside. */
export function writePage(result: PeersResult, figures: readonly Figure[]): string {
  const { systems, settings } = result;
  const measured = systems.filter(({ skipped }) => !skipped);
  const deploys = measured.reduce((total, system) => total + system.deploys, 0);
  const requests = measured.reduce((total, system) => total + system.requests, 0);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What a deploy costs the clients of a Node service</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<h1>What a deploy costs the clients of a Node service</h1>
<p class="lead">A small web service was replaced by its next version while clients were using it: ${countOf(deploys, 'deploy')}
and ${countOf(requests, 'request')}, on one machine, with ${countOf(measured.length, 'way')} to deploy. A strict client
accounted for every request that it had sent; one that did not get exactly one right and complete answer has failed.
With a good way to deploy no request fails, clients that are only connected stay connected, and there is little to pay
in speed and memory the rest of the time. The rows in <span class="ours">blue</span> are handover, the project that
made this page.</p>
<p>${verdict(measured)}</p>
${facts(result)}
<section><h2>Which requests failed</h2>
<p>Each row is a system, each number counts requests that failed in that way: <span class="bad">✕ red</span> is loss,
<span class="calm">0</span> is none.</p>
${failureTable(result)}
<details><summary>What the columns mean</summary><dl class="kinds">${FAILURE_KINDS.map(
    (kind) => html`<dt>${FAILURES[kind].name}</dt><dd>${FAILURES[kind].means}</dd>`
  )}</dl></details>
</section>
${figures.map(section)}
<section><h2>What it costs otherwise</h2>
<p>The same systems in the same order: what a deploy costs besides lost requests, what is paid while nothing is
deployed, and what happens when the system itself is killed without warning.</p>
${deployTable(result)}
${standingTable(result)}
</section>
<section><h2>The systems, and how each was set up</h2>
<p>All ran the same app, under the same clients, with at most ${showMs(settings.drainMs)} for the old version to finish.
Each is configured as its own documentation recommends; the file named holds all of that.</p>
${sortSystems(systems).map(about)}
</section>
</main>
</body>
</html>
`.text;
}

function verdict(measured: readonly SystemResult[]): Content {
  const whole = measured.filter(({ complete }) => complete);
  const broken = measured.filter(({ complete }) => !complete).map(({ name }) => `“${name}”`);
  const besides = broken.length === 0 ? '' : ` Not counted, since not every deploy could be done: ${listOf(broken)}.`;
  const clean = whole.filter((system) => failedOf(system) === 0);
  const worst = [...whole].sort((a, b) => failedOf(b) - failedOf(a))[0];
  if (!worst) return `No system was measured.${besides}`;
  const lost = failedOf(worst) > 0 ? ` Most requests failed with ${worst.name}: ${showCount(failedOf(worst))}.` : '';
  if (clean.length === 0) return html`Every system lost requests.${lost}${besides}`;
  return html`<strong>${clean.length} of ${countOf(whole.length, 'system')} lost no request</strong>: ${listOf(clean.map(({ name }) => `“${name}”`))}.${lost}${besides}`;
}

function facts({ date, machine, versions, settings }: PeersResult): Markup {
  const clients = Object.entries(settings.clients).map(
    ([kind, count]) => `${count} ${kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`
  );
  const gigabytes = (machine.memoryBytes / 2 ** 30).toFixed(1);
  const shared = machine.pins ? '; each system, its proxy and its apps share one core, the clients have the other' : '';
  const rows: readonly (readonly [string, Content])[] = [
    ['date', html`<time datetime="${date}">${date.slice(0, 16).replace('T', ' ')} UTC</time>`],
    ['machine', `${machine.cpu}, ${countOf(machine.cores, 'core')}, ${gigabytes} GiB, ${machine.os}${shared}`],
    [
      'versions',
      [
        'Node ',
        machine.node,
        ...Object.entries(versions)
          .filter(([name]) => name !== 'node')
          .map(([name, version]) => `, ${name} ${version}`)
      ]
    ],
    [
      'deploys',
      `${countOf(settings.rounds, 'round')} of ${countOf(settings.deploys, 'deploy')} for each system in turn, ${showMs(settings.pauseMs)} between two${settings.quick ? '; the quick form' : ''}`
    ],
    ['clients', `${listOf(clients)}; an answer is late after ${showMs(settings.requestTimeoutMs)}`],
    [
      'speed',
      `${settings.keptConnections} connections kept open, ${settings.freshTogether} fresh ones at a time; latency at ${showCount(settings.latencyRate)} requests a second`
    ]
  ];
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function section({ title, reading, drawings: [wide, narrow] }: Figure): Markup {
  const body =
    wide && narrow
      ? html`<p>${reading}</p>
<figure class="wide">${new Markup(wide)}</figure><figure class="narrow">${new Markup(narrow)}</figure>`
      : html`<p class="none">Not measured: this run did not try it with any system.</p>`;
  return html`<section><h2>${title}</h2>
${body}
</section>
`;
}

function about(system: SystemResult): Markup {
  const { name, note, config, skipped, rollbackNote, death, troubles, examples } = system;
  const lines: Content[] = [prose(note)];
  if (skipped) lines.push(html` <em>Not measured: ${skipped.why}; <code>${skipped.install}</code> changes that.</em>`);
  if (rollbackNote) lines.push(html` <b>Rollback:</b> ${prose(rollbackNote)}`);
  if (death) lines.push(html` <b>When it is killed:</b> ${prose(death.note)}`);
  return html`<article><h3${isOurs(system) ? html` class="ours"` : ''}>${name}</h3>
<p>${lines}</p>
<p>Configuration: <code>${config}</code></p>
${particulars('What went wrong with the system itself', troubles)}${particulars('The first requests that failed', examples)}</article>
`;
}

const particulars = (summary: string, lines: readonly string[]): Content =>
  lines.length === 0
    ? ''
    : html`<details><summary>${summary}</summary><ul>${lines.map((line) => html`<li><code>${line}</code></li>`)}</ul></details>`;
