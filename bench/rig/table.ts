import type { Claim, Detail, Result } from './model.ts';

type Row = Pick<Claim, 'name' | 'claim' | 'limit'> & Pick<Result, 'value' | 'unit' | 'ok'>;

/** A figure for people: as many digits as mean something. */
function show({ value, unit = '' }: Pick<Detail, 'value' | 'unit'>): string {
  if (value === null) return 'not measured';
  if (typeof value === 'string') return value;
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return `${value.toFixed(digits)}${unit ? ` ${unit}` : ''}`;
}

const verdict = ({ ok }: Pick<Result, 'ok'>) => (ok === null ? '' : ok ? 'kept' : 'MISSED');

/** One claim with all that was measured for it. */
export function showResult(claim: Claim, result: Result): string {
  const width = Math.max(...result.details.map(({ name }) => name.length));
  const limit = claim.limit === null ? '' : `, limit ${claim.limit}: ${verdict(result)}`;
  return [
    `${claim.name}: ${claim.claim}`,
    `  ${show(result)}${limit}`,
    ...result.details.map((detail) => `    ${detail.name.padEnd(width)}  ${show(detail)}`)
  ].join('\n');
}

/** All claims, one line each. */
export function showSummary(rows: readonly Row[]): string {
  const cells = [
    ['', 'figure', 'limit', '', 'claim'],
    ...rows.map((row) => [row.name, show(row), row.limit ?? '', verdict(row), row.claim])
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    )
    .join('\n');
}
