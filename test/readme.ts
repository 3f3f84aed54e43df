import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { showLimit, showValue } from '../src/core/verdict/reasons.ts';
import { SIGNAL_NAMES, SIGNALS } from '../src/core/verdict/signals.ts';
import { CODES } from '../src/errors.ts';
import { OPTIONS, type OptionName } from '../src/options/options.ts';
import { specOf } from '../src/options/read-options.ts';

// The parts of README.md that are made from the code: `npm run docs` writes them, and a test compares them.

export const README = fileURLToPath(new URL('../README.md', import.meta.url));

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
    const { about, kind, limit } = SIGNALS[name];
    const alone = kind === 'count' ? limit.floor : limit.absolute;
    const shown = [
      `\`${name}\``,
      about,
      showLimit(name, limit),
      alone === null ? 'not judged' : showValue(name, alone),
      limit.requests > 0 ? `${limit.requests}` : '',
      limit.afterMs > 0 ? `${limit.afterMs / 1000} s` : ''
    ];
    return `| ${shown.join(' | ')} |`;
  });
  const titles = ['signal', '', 'limit', 'with nothing to compare', 'fewest requests', 'not in the first'];
  return [`| ${titles.join(' | ')} |`, '| --- | --- | --- | --- | --- | --- |', ...rows].join('\n');
}

const SECTIONS: Record<string, () => string> = { options: optionsTable, signals: signalsTable, errors: errorsTable };

/** The text of README.md with its generated sections made anew. */
export function renderReadme(text: string): string {
  return Object.entries(SECTIONS).reduce((whole, [name, make]) => {
    const [begin, end] = [`<!-- generated: ${name} -->`, '<!-- end -->'];
    const at = whole.indexOf(begin);
    if (at < 0) throw new Error(`README.md has no section "${name}"`);
    const from = at + begin.length;
    return `${whole.slice(0, from)}\n${make()}\n${whole.slice(whole.indexOf(end, from))}`;
  }, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, renderReadme(readFileSync(README, 'utf8')));
}
