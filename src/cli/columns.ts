import { stripVTControlCharacters } from 'node:util';

/** Lays cells out in columns, two spaces apart. Columns of numbers are set to the right. */
export function columns(rows: readonly (readonly string[])[], numbers: readonly number[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, width(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const gap = ' '.repeat((widths[at] ?? 0) - width(cell));
        return numbers.includes(at) ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd()
  );
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
