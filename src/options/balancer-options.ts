import { type AdminAddress, readAdminAddress } from './admin-options.ts';
import { duration, spec } from './spec.ts';

/** What load balancers in front of several machines are told. */
export const BALANCER_OPTIONS = {
  agentCheck: spec<AdminAddress | null>({
    fallback: null,
    value: '<host:port>',
    wants: '"host:port" or "[ipv6]:port"; a port alone does not say who may connect',
    about:
      "Address on which HAProxy's `agent-check` is told whether to send clients here, and by its weight how many: the share of the workers that accept.",
    read: (given) => {
      const address = readAdminAddress(given);
      return address && 'path' in address ? undefined : address;
    }
  }),
  drainBefore: duration(
    0,
    '<15s>',
    'How long load balancers are told, by `/ready` and the agent check, before a stop, or a reload in place or exclusive, changes anything. Choose what they need to look and to let go. A second `stop` or signal does not wait.'
  )
} as const;
