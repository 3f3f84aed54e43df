import type net from 'node:net';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/**
 * Stands before what a server tells its app, as long as it is needed.
 *
 * @param takes whether the app is not to hear of it
 * @returns a function that ends it
 */
export function standBefore(
  server: net.Server,
  takes: (event: string | symbol, args: readonly unknown[]) => boolean
): () => void {
  const own = Object.getOwnPropertyDescriptor(server, 'emit');
  const emit = server.emit as Emit;
  const ours: Emit = function (this: net.Server, event, ...args) {
    return takes(event, args) || emit.call(this, event, ...args);
  };
  server.emit = ours as typeof server.emit;
  return () => {
    if ((server.emit as Emit) !== ours) return; // somebody stands before us: it passes on what it gets
    if (own) Object.defineProperty(server, 'emit', own);
    else Reflect.deleteProperty(server, 'emit');
  };
}
