import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { type Launch, PLAIN } from './launch.ts';

interface ManagedApp {
  readonly script?: unknown;
  readonly args?: unknown;
  readonly node_args?: unknown;
  readonly instances?: unknown;
}

/**
 * What a configuration of PM2 starts first.
 *
 * @returns undefined for any other file, null where it cannot be told
 */
export function readEcosystem(file: string): Launch | null | undefined {
  if (!/(?:^ecosystem\b.*|\.config)\.(?:c?js|json)$/.test(basename(file))) return undefined;
  if (!/\bapps\b/.test(readFileSync(file, 'utf8'))) return undefined;
  const [app] = load(file)?.apps ?? [];
  if (typeof app?.script !== 'string') return null;
  const workers = typeof app.instances === 'number' && app.instances > 1 ? ['--workers', String(app.instances)] : [];
  const args = toWords(app.args);
  return {
    ...PLAIN,
    file: app.script,
    args: [...workers, ...(args.length === 0 ? [] : ['--', ...args])],
    nodeOptions: toWords(app.node_args)
  };
}

/** PM2 itself loads the file to know what it says. */
function load(file: string): { readonly apps?: readonly ManagedApp[] } | null {
  try {
    const require = createRequire(file);
    delete require.cache[file];
    return require(file) as { readonly apps?: readonly ManagedApp[] };
  } catch {
    return null; // an ES module, or a mistake in it: what it would start is not known
  }
}

function toWords(given: unknown): string[] {
  if (Array.isArray(given)) return given.map(String);
  return typeof given === 'string' ? given.split(/\s+/).filter((word) => word !== '') : [];
}
