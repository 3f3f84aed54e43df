/** What `process` does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10. */
interface Inside {
  _getActiveHandles?(): readonly unknown[];
}

/**
 * The objects that keep the event loop going: servers, sockets, child processes.
 *
 * Missing: none; `process.getActiveResourcesInfo()` still says how many of which kind.
 */
export function activeHandles(): readonly unknown[] {
  return (process as unknown as Inside)._getActiveHandles?.() ?? [];
}
