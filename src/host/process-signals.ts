interface SignalActions {
  stop(why: string): void;
  reload(): void;
  /** Opens the log file anew, where there is one. */
  readonly reopen: (() => void) | undefined;
}

/**
 * SIGTERM and SIGINT stop (a second one hurries, which is the order's own business), SIGHUP reloads. SIGUSR1, by which Node would start
 * its inspector, opens the log file anew; that is not given back, for it would end the process then.
 *
 * @returns a function that gives the signals back
 */
export function handleSignals({ stop, reload, reopen }: SignalActions): () => void {
  if (reopen) process.on('SIGUSR1', reopen);
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  return () => process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload);
}
