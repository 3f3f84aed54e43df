import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Puts this package, as it is built, and all that it depends on into the `node_modules` of a folder, as npm would. */
export function installInto(folder: string): void {
  const modules = join(folder, 'node_modules');
  for (const part of ['package.json', 'dist'])
    cpSync(join(ROOT, part), join(modules, 'handover', part), { recursive: true });
  for (const name of findDependencies(ROOT, new Set()))
    cpSync(join(ROOT, 'node_modules', name), join(modules, name), { recursive: true });
}

function findDependencies(folder: string, found: Set<string>): Set<string> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    if (found.has(name)) continue;
    found.add(name);
    findDependencies(join(ROOT, 'node_modules', name), found);
  }
  return found;
}
