import { APP_BEGINS, preloadOption } from '../../protocol/worker-settings.ts';

/**
 * Loads a preload of ours before every module that the app preloads itself: those of NODE_OPTIONS come before those of the
 * command line, and the `--require` of both before their `--import`.
 *
 * @param flags Node's own, of the command line
 */
export function withPreload(
  preload: string,
  env: NodeJS.ProcessEnv,
  flags: readonly string[]
): { readonly env: NodeJS.ProcessEnv; readonly execArgv: string[] } {
  const own = env.NODE_OPTIONS?.trim() ?? '';
  const imports = flags.some((flag) => flag.startsWith('--import')) || /(^|\s|")--import\b/.test(own);
  const last = imports ? [APP_BEGINS] : [];
  if (own === '') return { env, execArgv: ['--require', preload, ...flags, ...last] };
  return { env: { ...env, NODE_OPTIONS: `${preloadOption(preload)} ${own}` }, execArgv: [...flags, ...last] };
}
