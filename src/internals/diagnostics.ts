import { channel, subscribe } from 'node:diagnostics_channel';

// What `node:diagnostics_channel` does not document. Tried on Node 20.20, 22.23, 24.21 and 26.10.

type Listener = (message: unknown) => void;

/** Node's channels of a request to an `http.Server`: when it has begun, and when its response has left. */
export type RequestChannel = 'http.server.request.start' | 'http.server.response.finish';

const ours = new Set<Listener>();

/** Listens to requests, before everybody who listens later, for as long as the process lives. */
export function onRequestChannel(name: RequestChannel, listener: Listener): void {
  ours.add(listener);
  subscribe(name, listener);
}

/**
 * Keeps requests from everybody who listens to them, such as the agent of a monitoring service, but ourselves.
 *
 * Missing: they hear of the requests as of any other.
 *
 * @returns a function that lets them hear again
 */
export function hideRequests(): () => void {
  const names: readonly RequestChannel[] = ['http.server.request.start', 'http.server.response.finish'];
  const shown = names.map((name) => {
    const inside = channel(name) as unknown as { _subscribers?: Listener[] };
    const all = inside._subscribers;
    if (!Array.isArray(all)) return () => {};
    const hidden = all.filter((one) => !ours.has(one));
    if (hidden.length === 0) return () => {};
    inside._subscribers = all.filter((one) => ours.has(one));
    // Whoever came meanwhile stays.
    return () => {
      inside._subscribers = [...hidden, ...(inside._subscribers ?? [])];
    };
  });
  return () => {
    for (const show of shown) show();
  };
}
