import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The source of this package, read as text: what the rules of the house are checked on. */

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  readonly from: string;
  readonly to: string;
  readonly typesOnly: boolean;
}

/** Path below src/ -> text. */
export const sources = readSources('src');

/** The same of test/. */
export const testSources = readSources('test');

export const imports: readonly Import[] = [...sources].flatMap(([from, text]) => readImports(from, text));

function readSources(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => [path, readFileSync(join(root, folder, path), 'utf8')])
  );
}

function readImports(from: string, text: string): Import[] {
  const found: Import[] = [];
  for (const [, kind = '', names = '', to = ''] of text.matchAll(
    /^(?:import|export) (type )?([^'"`;=()]*?) from '([^']+)'/gm
  )) {
    const listed = /^\{(.*)\}$/s
      .exec(names.trim())?.[1]
      ?.split(',')
      .map((name) => name.trim());
    const typesOnly = kind !== '' || (listed?.every((name) => name === '' || name.startsWith('type ')) ?? false);
    found.push({ from, to: place(from, to), typesOnly });
  }
  for (const [, to = ''] of text.matchAll(/(?:\b(?:import|require)\(\s*|^import )'([^']+)'/gm)) {
    found.push({ from, to: place(from, to), typesOnly: false });
  }
  return found;
}

/** A path below src/ for our own files; the name for packages. */
function place(from: string, to: string): string {
  return to.startsWith('.') ? posix.join(posix.dirname(from), to) : to;
}

/** The room of a file: its folder, or the file itself where it stands alone. */
export function roomOf(path: string): string {
  return path.split('/')[0]?.replace(/\.ts$/, '') ?? '';
}

export function isOurs(to: string): boolean {
  return to.endsWith('.ts') || to.endsWith('.json');
}

/** The package of an import, or null for our own files and what Node brings. */
export function packageOf(to: string): string | null {
  if (isOurs(to) || to.startsWith('node:') || builtinModules.includes(to)) return null;
  return /^(@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to;
}

/** Code without its comments, so that it may speak of what it must not use. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
