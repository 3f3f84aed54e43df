import type { AdminPorts, Role } from '../admin/admin-ports.ts';
import { describeReadiness, type Readiness } from '../core/admission.ts';
import { rolesOf } from '../core/state/generations.ts';
import { HandoverError } from '../errors.ts';
import type { Options } from '../options/options.ts';
import type { Sample } from '../protocol/messages.ts';
import { version } from '../version.ts';
import { createOperator } from './operator.ts';
import type { Supervisor } from './supervisor.ts';

/** The servers for operators and load balancers, as far as the supervisor knows them. */
export interface Administration {
  /**
   * Opens their addresses. Where workers may serve already, that is never in their way: each opens as soon as its address is free.
   *
   * @throws HANDOVER_ERR_LISTEN_IN_USE, HANDOVER_ERR_LISTEN_PERMISSION, HANDOVER_ERR_LISTEN_ADDRESS
   */
  open(isFirst: boolean): Promise<void>;
  close(): void;
}

interface Server {
  open(): Promise<void>;
  openWhenFree(): void;
  close(): void;
}

/**
 * Makes the server of the admin address and that of the agent check, where they are named. They are loaded only then.
 *
 * @throws HANDOVER_ERR_OPTION_INVALID where the token cannot be used
 */
export async function administer(
  supervisor: Supervisor,
  { admin, adminTokenFile, agentCheck }: Pick<Options, 'admin' | 'adminTokenFile' | 'agentCheck'>
): Promise<Administration> {
  if (admin === null && adminTokenFile !== null) {
    const what = 'adminTokenFile has no effect';
    const why = 'no admin address is named, and orders are given there';
    throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
      what,
      why,
      fix: 'Name one, such as `--admin 127.0.0.1:9100`'
    });
  }
  const servers: Server[] = [];
  if (admin !== null) {
    const { AdminServer } = await import('../admin/admin-server.ts');
    servers.push(new AdminServer(admin, adminTokenFile, createAdminPorts(supervisor)));
  }
  if (agentCheck !== null) {
    const { AgentCheck } = await import('../admin/agent-check.ts');
    servers.push(new AgentCheck(agentCheck, { readiness: () => readinessOf(supervisor), announce: supervisor.warn }));
  }
  const close = () => {
    for (const server of servers) server.close();
  };
  supervisor.onEnd(close);
  const open = async (isFirst: boolean) => {
    try {
      for (const server of servers) await (isFirst ? server.open() : server.openWhenFree());
    } catch (error) {
      close();
      throw error;
    }
  };
  return { open, close };
}

function readinessOf({ statusSource, health }: Supervisor): Readiness {
  return describeReadiness(statusSource.state, (worker) => health.watchdog.silentMs(worker) !== null);
}

/** What the admin address may see of a supervisor, and ask of it. */
function createAdminPorts(supervisor: Supervisor): AdminPorts {
  const { app, statusSource, health, warn } = supervisor;
  const operator = createOperator(supervisor, { uid: null, user: null, command: 'the admin page' });
  return {
    app: app.name,
    version,
    status: operator.status,
    readiness: () => readinessOf(supervisor),
    logs: operator.logs,
    arrived: () => statusSource.arrived,
    watch: operator.watch,
    onBeat: (listener) => {
      health.watchdog.onSample = (id, { latency, loop, ...sample }: Sample) => {
        const role = roleOf(supervisor, id);
        if (role) listener({ role, id, latency, loop, ...sample });
      };
      return () => {
        health.watchdog.onSample = () => {};
      };
    },
    order: (name) => (name === 'reload' || name === 'rollback' ? operator[name]({}) : operator[name]()),
    announce: warn
  };
}

const SHOWN_AS: Readonly<Record<string, Role>> = { next: 'candidate', leaving: 'standby' };

function roleOf({ statusSource }: Supervisor, worker: string): Role | null {
  const generation = Number.parseInt(worker, 10);
  const found = rolesOf(statusSource.state).find((one) => one.generation.id === generation);
  return found ? (SHOWN_AS[found.role] ?? (found.role as Role)) : null;
}
