interface SignalActions {
  stop(why: string): void;
  reload(): void;
}

/**
 * SIGTERM and SIGINT stop (a second one hurries, which is the order's own business), SIGHUP reloads.
 *
 * @returns a function that gives the signals back
 */
export function handleSignals({ stop, reload }: SignalActions): () => void {
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  return () => process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload);
}
