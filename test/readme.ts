import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { METRICS } from '../src/admin/metric-table.ts';
import { showLimit, showValue } from '../src/core/verdict/reasons.ts';
import { SIGNAL_NAMES, SIGNALS } from '../src/core/verdict/signals.ts';
import { CODES } from '../src/errors.ts';
import { OPTIONS, type OptionName } from '../src/options/options.ts';
import { specOf } from '../src/options/read-options.ts';
import { showExpected } from './apps/expected.ts';
import { versionOf } from './apps/install.ts';
import { APPS } from './apps/table.ts';
import { readDescribed, readWritten } from './docs/events.ts';

// The parts of the docs that are made from the code: `npm run docs` writes them, and a test compares them.

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url));

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const cell = (text: string) => text.replaceAll('|', '\\|');

function showDefault(value: unknown, written: string | undefined): string {
  if (written !== undefined) return `\`${written}\``;
  if (value === null || (Array.isArray(value) && value.length === 0)) return '';
  return typeof value === 'number' && value >= 1000 && value !== 4096 ? `\`${value}\` ms` : `\`${String(value)}\``;
}

function optionsTable(): string {
  const rows = (Object.keys(OPTIONS) as OptionName[]).map((name) => {
    const { value, fallback, about, written } = specOf(name);
    return `| \`${name}\` | \`--${kebab(name)} ${cell(value)}\` | ${showDefault(fallback, written)} | ${cell(about)} |`;
  });
  return ['| option | flag of `run` | default | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function errorsTable(): string {
  const rows = Object.entries(CODES).map(
    ([code, { exit, status, means }]) => `| \`${code}\` | ${exit} | ${status} | ${means} |`
  );
  return ['| code | exit code | HTTP status on the control socket | |', '| --- | --- | --- | --- |', ...rows].join(
    '\n'
  );
}

function signalsTable(): string {
  const rows = SIGNAL_NAMES.map((name) => {
    const { about, because, kind, limit } = SIGNALS[name];
    const alone = kind === 'count' ? limit.floor : limit.absolute;
    const fewest = [
      ...(limit.requests > 0 ? [`${limit.requests} requests`] : []),
      ...(limit.least > 0 ? [`${limit.least} of them bad`] : [])
    ];
    const shown = [
      `\`${name}\``,
      about,
      showLimit(name, limit),
      because,
      alone === null ? 'not judged' : showValue(name, alone),
      fewest.join(', '),
      limit.afterMs > 0 ? `${limit.afterMs / 1000} s` : ''
    ];
    return `| ${shown.join(' | ')} |`;
  });
  const titles = ['signal', '', 'limit', 'why so', 'with nothing to compare', 'from', 'without the first'];
  return [`| ${titles.join(' | ')} |`, '| --- | --- | --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function appsTable(): string {
  const rows = APPS.filter(({ notYet }) => notYet === undefined).map(({ name, about, packages, expected }) => {
    const versions = packages.map((one) => `${one} ${versionOf(one)}`).join(', ');
    return `| ${name} | ${about} | ${versions || 'as the distribution has it'} | ${showExpected(expected)} |`;
  });
  return ['| application | with | versions | failed, reconnects |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function eventsTable(): string {
  const written = readWritten();
  const rows = readDescribed()
    .filter(({ name }) => name !== 'event' && name !== 'message')
    .map(({ name, about }) => `| \`${name}\` | ${[...(written.get(name) ?? [])].join(', ')} | ${cell(about)} |`);
  return ['| event | level | when, and its fields |', '| --- | --- | --- |', ...rows].join('\n');
}

function metricsTable(): string {
  const rows = Object.entries(METRICS).map(
    ([name, { type, unit, labels, help }]) =>
      `| \`${name}\` | ${type} | ${unit} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
  );
  return ['| metric | type | unit | labels | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

type Section = readonly [name: string, make: () => string];

const SECTIONS: Readonly<Record<string, readonly Section[]>> = {
  'options-and-errors.md': [
    ['options', optionsTable],
    ['errors', errorsTable]
  ],
  'logs.md': [['events', eventsTable]],
  'getting-started.md': [['apps', appsTable]],
  'checks-and-verdict.md': [['signals', signalsTable]],
  'metrics.md': [['metrics', metricsTable]]
};

/** The pages that have generated sections, with their text as it is and as it should be. */
export function renderPages(): { readonly page: string; readonly text: string; readonly rendered: string }[] {
  return Object.entries(SECTIONS).map(([page, sections]) => {
    const text = readFileSync(`${DOCS}${page}`, 'utf8');
    return { page, text, rendered: sections.reduce((whole, section) => render(page, whole, section), text) };
  });
}

function render(page: string, text: string, [name, make]: Section): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, '<!-- end -->'];
  const at = text.indexOf(begin);
  if (at < 0) throw new Error(`docs/${page} has no section "${name}"`);
  const from = at + begin.length;
  return `${text.slice(0, from)}\n${make()}\n${text.slice(text.indexOf(end, from))}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { page, rendered } of renderPages()) writeFileSync(`${DOCS}${page}`, rendered);
}
