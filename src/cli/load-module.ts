import { realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** How a file is named when it is loaded once more: Node loads each name once. */
const AGAIN = 'handover';

const loaded = new Set<string>();
let times = 0;

/**
 * Loads a file of the user's as a module, anew each time, with the files that it loads from beside it.
 *
 * @throws what the file throws; `process.exit()` in it throws too: it would end a supervisor that only reads its config anew
 */
export async function loadModule(path: string): Promise<Record<string, unknown>> {
  const exit = process.exit;
  process.exit = (code) => {
    throw new Error(`it calls process.exit(${code ?? ''}), which would end whoever reads it`);
  };
  try {
    return await load(path);
  } finally {
    process.exit = exit;
  }
}

async function load(path: string): Promise<Record<string, unknown>> {
  const real = realpathSync(path);
  const url = pathToFileURL(path);
  if (!loaded.has(real)) {
    loaded.add(real);
    return (await import(url.href)) as Record<string, unknown>;
  }
  const require = nodeModule.createRequire(path);
  const isCommonJs = real in require.cache;
  forgetRequired(require.cache, dirname(real));
  // Imported under another name, CommonJS gets what it requires half loaded from Node 24 on.
  if (isCommonJs) return { default: require(real) };
  passOn();
  times += 1;
  url.searchParams.set(AGAIN, String(times));
  return (await import(url.href)) as Record<string, unknown>;
}

function forgetRequired(cache: NodeJS.Dict<unknown>, folder: string): void {
  for (const file of Object.keys(cache)) {
    if (file.startsWith(folder + sep) && !isOfPackage(file)) delete cache[file];
  }
}

function isOfPackage(path: string): boolean {
  return path.includes('/node_modules/');
}

type Resolve<R> = (specifier: string, context: Resolving, next: Resolve<R>) => R;

interface Hooks {
  /** From Node 22.15 on. */
  registerHooks?(hooks: { resolve: Resolve<{ url: string }> }): void;
}

let passesOn = false;

/** Makes what is imported by a file that is loaded once more load once more too. */
function passOn(): void {
  if (passesOn) return;
  passesOn = true;
  const { registerHooks } = nodeModule as Hooks;
  if (registerHooks) {
    registerHooks({ resolve: (specifier, context, next) => rename(next(specifier, context, next), context) });
    return;
  }
  // Node 20 has hooks only in a thread of their own, which knows nothing of this file.
  const hook = `const rename = ${rename};
export async function resolve(specifier, context, next) { return rename(await next(specifier, context), context); }`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

interface Resolving {
  readonly parentURL?: string | undefined;
  readonly conditions?: readonly string[] | Set<string> | undefined;
}

function rename<R extends { url: string }>(resolved: R, { parentURL, conditions = [] }: Resolving): R {
  const [again] = /\?handover=\d+$/.exec(parentURL ?? '') ?? [];
  const { url } = resolved;
  const own = url.startsWith('file:') && !url.includes('/node_modules/') && !url.includes('?');
  return again !== undefined && own && [...conditions].includes('import')
    ? { ...resolved, url: url + again }
    : resolved;
}
