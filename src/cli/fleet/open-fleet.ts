import { hostname } from 'node:os';
import { findUser } from '../../control/asked-by.ts';
import type { Observer } from '../../fleet/observer.ts';
import type { By } from '../../fleet/rules/goal.ts';
import { readFleetPlace } from './fleet-flags.ts';

/** A fleet that a command looks at. */
export interface OpenFleet {
  readonly service: string;
  readonly observer: Observer;
  close(): Promise<void>;
}

/**
 * Opens the fleet that flags and config name.
 *
 * What it is made of is loaded here and not above: the help of a command does not need it.
 *
 * @throws HANDOVER_ERR_OPTION_*
 */
export async function openFleet(flags: Readonly<Record<string, unknown>>): Promise<OpenFleet> {
  const place = await readFleetPlace(flags);
  const { openStore } = await import('../../fleet/open-store.ts');
  const { Observer } = await import('../../fleet/observer.ts');
  const store = openStore(place);
  const { service } = place;
  return { service, observer: new Observer(store, service), close: () => store.close() };
}

/** Who gives an order. */
export function signOrder(command: string): By {
  return { user: findUser(), host: hostname(), command: `handover fleet ${command}` };
}
