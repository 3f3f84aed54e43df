import type { Answer, Part } from './part.ts';

/** As many digits as mean something. */
export function show(value: number | null): string {
  if (value === null) return 'not measured';
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** Writes an answer as a table, with the names of the columns as its head. */
export function showAnswer({ name, about }: Part, { rows, notes }: Answer): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns, ...rows.map((row) => columns.map((column) => show(row[column] ?? null)))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return [
    `${name}: ${about}`,
    ...lines.map((line) => `  ${line.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')}`),
    ...notes.map((note) => `  ${note}`)
  ].join('\n');
}
