import type { Command } from './command.ts';

/** Every command, in the order of the help. Each is loaded when it is asked for: an operator waits for every file. */
const COMMANDS = {
  run: async () => (await import('./run.ts')).run,
  reload: async () => (await import('./reload.ts')).reload,
  rollback: async () => (await import('./rollback.ts')).rollback,
  canary: async () => (await import('./canary.ts')).canary,
  promote: async () => (await import('./promote.ts')).promote,
  abort: async () => (await import('./abort.ts')).abort,
  retire: async () => (await import('./retire.ts')).retire,
  scale: async () => (await import('./scale.ts')).scale,
  drain: async () => (await import('./drain-service.ts')).drain,
  undrain: async () => (await import('./drain-service.ts')).undrain,
  upgrade: async () => (await import('./upgrade.ts')).upgrade,
  status: async () => (await import('./status.ts')).status,
  history: async () => (await import('./history.ts')).history,
  logs: async () => (await import('./logs.ts')).logs,
  list: async () => (await import('./list.ts')).list,
  stop: async () => (await import('./stop.ts')).stop,
  fleet: async () => (await import('./fleet.ts')).fleet,
  doctor: async () => (await import('./doctor.ts')).doctor,
  install: async () => (await import('./install.ts')).install,
  uninstall: async () => (await import('./uninstall.ts')).uninstall,
  import: async () => (await import('./import.ts')).importing,
  completion: async () => (await import('./completion.ts')).completion
} as const satisfies Record<string, () => Promise<Command>>;

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/**
 * Loads the command of that name.
 *
 * @returns all of them where it is the name of none: whoever asks for help, or errs, is shown which there are
 */
export function loadCommands(name: string): Promise<readonly Command[]> {
  const wanted = Object.entries(COMMANDS).filter(([known]) => known === name);
  const loads = wanted.length > 0 ? wanted : Object.entries(COMMANDS);
  return Promise.all(loads.map(([, load]) => load()));
}
