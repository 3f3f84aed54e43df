import { readFileSync } from 'node:fs';
import { HandoverError } from '../../errors.ts';
import type { ListenArguments } from '../../protocol/messages.ts';
import type { Identity } from './act-as.ts';

/** Where the system does not say. */
const FIRST_FREE = 1_024;

/**
 * Refuses an app of another user a port that it could not bind without a supervisor of root's: whoever breaks into it must not
 * get that of somebody else by asking. What the operator names is bound all the same.
 *
 * @throws HANDOVER_ERR_LISTEN_PERMISSION
 */
export function refuseReserved({ port = 0 }: ListenArguments, as: Identity | null): void {
  if (as === null || as.uid === 0 || port === 0 || port >= firstFreePort()) return;
  const cause = Object.assign(new Error('EACCES'), { code: 'EACCES' });
  throw new HandoverError(
    'HANDOVER_ERR_LISTEN_PERMISSION',
    {
      what: `Cannot listen on port ${port}`,
      why: `the app runs as another user than root (--user), who may not bind it (EACCES), and the operator has not named it`,
      fix: `Name it: \`--listen ${port}\`; or let the app listen on ${FIRST_FREE} or above`
    },
    { cause }
  );
}

/** The first port that anybody may bind. */
export function firstFreePort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return FIRST_FREE; // an older kernel, or no Linux
  }
}
