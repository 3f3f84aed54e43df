import type { PeersResult, Spread, SystemResult } from '../result.ts';
import { type Content, html, type Markup, prose } from './html.ts';
import {
  countOf,
  FAILURE_KINDS,
  FAILURES,
  failedOf,
  isOurs,
  showCount,
  showMegabytes,
  showMs,
  sortSystems
} from './words.ts';

/** Which clients lost what: a row for each system, fewest failures first. */
export function failureTable({ systems }: PeersResult): Markup {
  const notes = new Notes('failures');
  const rows = sortSystems(systems).map((system) => {
    if (system.skipped) return skippedRow(system, FAILURE_KINDS.length + 3);
    const { requests, idleReconnects, complete } = system;
    return row(system, [
      cell([showCount(requests), complete ? '' : notes.mark(system, '')()]),
      failures(failedOf(system), 'sum'),
      ...FAILURE_KINDS.map((kind) => failures(system.failures[kind])),
      failures(idleReconnects, 'apart')
    ]);
  });
  const kinds = FAILURE_KINDS.map((kind) => head(FAILURES[kind].name, FAILURES[kind].means));
  return table(
    'Failed requests of each system, by the way they failed; 0 is what every column should say.',
    [
      head('requests', 'sent by the strict client during all deploys'),
      head('failed', 'all kinds together'),
      ...kinds,
      head('idle reconnects', 'connections that were closed although their client did nothing wrong')
    ],
    rows,
    notes
  );
}

/** How long a deploy takes, and what it costs in waiting and in memory. */
export function deployTable({ systems }: PeersResult): Markup {
  const notes = new Notes('deploy');
  const rows = measuredOf(systems).map((system) => {
    const { deployMs, rollbackMs, rollbacks, rollbackNote, p99, memory } = system;
    return row(system, [
      measured(deployMs, showTimes, notes.mark(system, 'deploy')),
      measured(rollbackMs, showTimes, notes.mark(system, 'rollback', rollbacks === 0 ? rollbackNote : null)),
      measured(p99, ({ steadyMs }) => showMs(steadyMs), notes.mark(system, 'latency')),
      measured(
        p99,
        ({ aroundMs, ratio }) => `${showMs(aroundMs)}, ${ratio.toFixed(1)} x`,
        notes.mark(system, 'latency')
      ),
      measured(memory, ({ restBytes }) => showMegabytes(restBytes), notes.mark(system, 'memory')),
      measured(memory, ({ peakBytes }) => showMegabytes(peakBytes), notes.mark(system, 'memory'))
    ]);
  });
  return table(
    'Time, waiting and memory of a deploy. Times are medians, with how many there were.',
    [
      head('deploy', 'until the new version answers, and the old one gets nothing new'),
      head('rollback', 'until the version before answers again'),
      head('p99 quiet', 'one request in a hundred takes longer'),
      head(
        'p99 around a deploy',
        'of the requests that were answered in the second around the switch, and how many times that is the quiet one'
      ),
      head('memory', 'of all its processes and theirs alone, at rest'),
      head('memory, peak', 'of all its processes and theirs alone, the most during a deploy')
    ],
    rows,
    notes
  );
}

/** What each system costs while nothing is deployed, and what its own death costs. */
export function standingTable({ systems }: PeersResult): Markup {
  const notes = new Notes('standing');
  const rows = measuredOf(systems).map((system) => {
    const { keptAliveShare, freshShare, death, autocannon } = system;
    const why = notes.mark(system, 'death');
    const shared = sharedWith(system, systems, notes);
    return row(system, [
      measured(keptAliveShare, (share) => [showShare(share), shared], notes.mark(system, 'throughput')),
      measured(freshShare, (share) => [showShare(share), shared], notes.mark(system, 'throughput')),
      death ? failures(death.failed) : unmeasured(why),
      measured(death, ({ downMs }) => showReturn(downMs), why),
      measured(death, ({ inChargeMs }) => showReturn(inChargeMs), why),
      measured(autocannon, showCannon, notes.mark(system, 'autocannon'))
    ]);
  });
  return table(
    'Speed, and sudden death. Speed is a share of plain node beside it: 1.00 is as fast; behind it the middle half of the measurements.',
    [
      head('kept-alive', 'requests a second on connections kept open'),
      head('fresh', 'requests a second with a new connection each'),
      head('failed at its death', 'requests lost after the system itself was killed'),
      head('silent for', 'the longest time without any answer'),
      head('in charge after', 'time until the system that was started again was there to stay'),
      head(
        'autocannon',
        'what the usual load tool reports as errors, and the requests without an answer that it does not mention'
      )
    ],
    rows,
    notes
  );
}

/** The mark of a row that shows figures of another one. */
function sharedWith({ steadyAs }: SystemResult, systems: readonly SystemResult[], notes: Notes): Content {
  const other = systems.find(({ id }) => id === steadyAs);
  return other ? notes.refer(`Measured with “${other.name}”: the two differ in their deploys only.`) : '';
}

const measuredOf = (systems: readonly SystemResult[]) => sortSystems(systems).filter(({ skipped }) => !skipped);

const showTimes = ({ median, count }: Spread): Markup => html`${showMs(median)} <small>×${count}</small>`;

const showReturn = (ms: number | null): string => (ms === null ? 'did not come back' : showMs(ms));

const showShare = ({ median, low, high, count }: Spread): Markup =>
  html`${median.toFixed(2)} <small title="middle half of ${count} measurements">${low.toFixed(2)}–${high.toFixed(2)}</small>`;

const head = (name: string, means?: string): Markup =>
  means === undefined
    ? html`<th scope="col">${name}</th>`
    : html`<th scope="col"><abbr title="${means}">${name}</abbr></th>`;

const cell = (content: Content): Markup => html`<td>${content}</td>`;

const showCannon = ({ sent, answered, errors }: NonNullable<SystemResult['autocannon']>): string =>
  `${countOf(errors, 'error')}, ${showCount(sent - answered)} unanswered`;

/** A number of which only 0 is good: calm, or marked by colour, weight and a cross. */
function failures(count: number, kind = ''): Markup {
  if (count === 0) return html`<td class="calm ${kind}">0</td>`;
  return html`<td class="bad ${kind}"><span aria-hidden="true">✕ </span>${showCount(count)}</td>`;
}

function measured<T>(value: T | null, show: (value: T) => Content, why: () => Markup): Markup {
  return value === null ? unmeasured(why) : cell(show(value));
}

const unmeasured = (why: () => Markup): Markup => html`<td class="none">not measured${why()}</td>`;

const nameOf = (system: SystemResult): Markup =>
  html`<th scope="row"${isOurs(system) ? html` class="ours"` : ''}>${system.name}</th>`;

const row = (system: SystemResult, cells: readonly Markup[]): Markup => html`<tr>${nameOf(system)}${cells}</tr>
`;

function skippedRow(system: SystemResult, columns: number): Markup {
  const { why, install } = system.skipped ?? { why: '', install: '' };
  return html`<tr class="skipped">${nameOf(system)}<td colspan="${columns}"><span>not measured: ${why}; <code>${install}</code> changes that</span></td></tr>
`;
}

/** Why something was not measured, or not by itself; each is told once, below its table. */
class Notes {
  readonly #id: string;
  readonly #reasons: string[] = [];

  constructor(id: string) {
    this.#id = id;
  }

  /** A way to make the mark, for the one who needs it. A trouble says what it is about before a colon. */
  mark({ troubles }: SystemResult, what: string, known: string | null = null): () => Markup {
    const about = troubles.filter((trouble) => trouble.startsWith(what));
    const reason = known ?? ((about.length > 0 ? about : troubles).join('; ') || 'this run did not try it');
    return () => this.refer(reason);
  }

  refer(reason: string): Markup {
    const number = this.#numberOf(reason);
    return html` <sup><a href="#${this.#id}-${number}">${number}</a></sup>`;
  }

  list(): Markup | string {
    if (this.#reasons.length === 0) return '';
    const items = this.#reasons.map((reason, index) => html`<li id="${this.#id}-${index + 1}">${prose(reason)}</li>`);
    return html`<ol class="notes" aria-label="Notes">${items}</ol>`;
  }

  #numberOf(reason: string): number {
    if (!this.#reasons.includes(reason)) this.#reasons.push(reason);
    return this.#reasons.indexOf(reason) + 1;
  }
}

function table(caption: string, heads: readonly Markup[], rows: readonly Markup[], notes: Notes | null = null): Markup {
  return html`<div class="box" role="region" aria-label="${caption}" tabindex="0"><table>
<caption><span>${caption}</span></caption>
<thead><tr><th scope="col">system</th>${heads}</tr></thead>
<tbody>${rows}</tbody>
</table></div>
${notes?.list() ?? ''}`;
}
