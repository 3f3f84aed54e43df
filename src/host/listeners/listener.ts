import type { BindTo, Handle } from '../../internals/net.ts';
import type { Lent } from '../../protocol/worker-settings.ts';
import { actAs, type Identity } from '../rights/act-as.ts';
import { removeOwn } from './unix-paths.ts';

/** An address that the supervisor holds. */
export interface Listener extends Lent {
  readonly ipv6Only: boolean;
  readonly handle: Handle;
  readonly boundTo: BindTo;
  /** The file of a unix socket that was bound here. */
  readonly ino: number | null;
  /** With whose rights the file of a unix socket is made and removed, where an app of another user asked for it; null: our own. */
  readonly as: Identity | null;
  /** Whether it was passed by systemd, which has it too: it is not closed, and its file is left alone. */
  readonly passed: boolean;
}

/** The same without its socket, as the next supervisor hears of it. */
export type HeldAddress = Omit<Listener, 'handle'>;

/** A unix socket that was bound anew under another name, until it takes the place of the one that is gone. */
export interface Restored {
  readonly listener: Listener;
  /** Puts it on its path, in one step. It has to be listened on already: whoever finds it connects. */
  reveal(): void;
}

/** Closes a listener. Node removes the file under which a socket was bound, which is another one for a socket that was bound anew. */
export function closeListener({ address, handle, ino, as, passed }: Listener): void {
  if (passed) return;
  // Node removes the file as it closes, by its path.
  if (typeof address === 'string') actAs(as, () => handle.close());
  else handle.close();
  if (typeof address === 'string') removeOwn(address, ino, as);
}
