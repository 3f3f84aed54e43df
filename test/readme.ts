import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CODES } from '../src/errors.ts';
import { OPTIONS } from '../src/options.ts';

// The parts of README.md that are made from the code: `npm run docs` writes them, and a test compares them.

export const README = fileURLToPath(new URL('../README.md', import.meta.url));

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const cell = (text: string) => text.replaceAll('|', '\\|');

function showDefault(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '';
  return typeof value === 'number' && value >= 1000 && value !== 4096 ? `\`${value}\` ms` : `\`${String(value)}\``;
}

function optionsTable(): string {
  const rows = Object.entries(OPTIONS).map(([name, { value, fallback, about }]) => {
    return `| \`${name}\` | \`--${kebab(name)} ${cell(value)}\` | ${showDefault(fallback)} | ${cell(about)} |`;
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

const SECTIONS: Record<string, () => string> = { options: optionsTable, errors: errorsTable };

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
