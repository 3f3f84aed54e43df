import { hostname } from 'node:os';
import { describeReadiness } from '../core/admission.ts';
import { showDrained } from '../core/drained-status.ts';
import { isUsable } from '../core/rules/rollback.ts';
import { activeOf } from '../core/state/generations.ts';
import type { State } from '../core/state/state.ts';
import { HandoverError } from '../errors.ts';
import type { FleetPorts, Seen } from '../fleet/fleet-ports.ts';
import { runShell } from '../host/processes/run-shell.ts';
import { logicalCwd } from '../options/cwd.ts';
import { defaultMachine, FLEET_OPTIONS, readFleetName } from '../options/fleet-options.ts';
import type { Options } from '../options/options.ts';
import type { Configuration } from './configuration.ts';
import { createOperator } from './operator.ts';
import { environmentOf } from './start-worker.ts';
import type { Supervisor } from './supervisor.ts';

/** How long a release may take to be fetched and built. */
const FETCH_MS = 600_000;

/**
 * Prepares this machine to join its fleet, where an etcd is named. It is loaded only then, and what it does is never in the way
 * of what serves.
 *
 * @throws HANDOVER_ERR_OPTION_INVALID
 */
export async function joinFleet(
  supervisor: Supervisor,
  configuration: Configuration
): Promise<{ begin(): void } | null> {
  const options = configuration.optionsOf(undefined);
  const { etcd, zone } = options;
  if (etcd.length === 0) return refuseAlone(options);
  const { Member } = await import('../fleet/member.ts');
  const { CLOCK } = await import('../fleet/fleet-ports.ts');
  const { openStore } = await import('../fleet/open-store.ts');
  const place = {
    service: nameService(options, supervisor.app.name),
    machine: options.machine ?? defaultMachine(),
    zone
  };
  const store = openStore(options);
  return {
    begin: () => {
      const member = new Member(place, createFleetPorts(supervisor, configuration), store, CLOCK);
      supervisor.onEnd(() => void member.close());
      supervisor.statusSource.fleet = () => member.status;
      member.begin();
    }
  };
}

/** What is said of a fleet means nothing without the etcd. */
function refuseAlone(options: Options): null {
  const names = Object.keys(FLEET_OPTIONS) as (keyof typeof FLEET_OPTIONS)[];
  const given = names.find((name) => name !== 'etcd' && options[name] !== null);
  if (given === undefined) return null;
  throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `${given} has no effect`,
    why: 'no etcd is named, and that is where the machines of a fleet agree',
    fix: 'Name one, such as `--etcd http://10.0.0.5:2379`'
  });
}

function nameService({ service }: Options, app: string): string {
  const name = service ?? readFleetName(app);
  if (name !== undefined) return name;
  throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: 'Option "service" is missing',
    why: `the name of the app, "${app}", cannot be that of a fleet: it must be ${FLEET_OPTIONS.service.wants}`,
    fix: 'Name the service with --service'
  });
}

/** What a fleet may see of a supervisor, and ask of it. */
function createFleetPorts(supervisor: Supervisor, configuration: Configuration): FleetPorts {
  const { app, statusSource, health, notices, warn, socket } = supervisor;
  const folder = logicalCwd();
  const operator = createOperator(supervisor);
  const isSilent = (worker: string) => health.watchdog.silentMs(worker) !== null;
  return {
    ...{ folder, socket, host: hostname(), announce: warn },
    look: () => ({
      ...see(statusSource.state),
      // One that is drained by hand serves whoever comes: it is not missing.
      ready: describeReadiness(statusSource.state, isSilent).servingShare > 0,
      addresses: supervisor.addresses,
      drained: showDrained(statusSource.state.drained)
    }),
    onChange: (listener) => notices.add(listener),
    reload: (order, by) => operator.as({ uid: null, ...by }).reload(order),
    rollback: (to, by) => operator.as({ uid: null, ...by }).rollback(to === null ? {} : { to }),
    abort: (by) => operator.as({ uid: null, ...by }).abort(),
    fetch: async (command, label, calledOff) => {
      const release = activeOf(statusSource.state)?.release;
      if (!release) return { ok: false, why: 'no version is active' };
      const options = configuration.optionsOf(release);
      const env = { ...environmentOf(app, release, options), HANDOVER_LABEL: label };
      const ending = new AbortController();
      const end = (why: string) => ending.abort(new Error(why));
      const overdue = setTimeout(end, FETCH_MS, `was not done within ${FETCH_MS / 60_000} min`);
      const callOff = () => end('was called off');
      calledOff.addEventListener('abort', callOff);
      try {
        const account = app.users.of(options);
        return await runShell(command, { cwd: folder, env, account, signal: ending.signal }, process.stderr);
      } finally {
        clearTimeout(overdue);
        calledOff.removeEventListener('abort', callOff);
      }
    }
  };
}

function see(state: State): Omit<Seen, 'ready' | 'addresses' | 'drained'> {
  const active = activeOf(state);
  const isSteady = state.phase === 'steady' && !state.completing && !state.scaling;
  const standby = state.phase === 'steady' ? state.standby : null;
  const isKept = standby !== null && standby.rejected === null && isUsable(standby);
  const entry = state.history.find(({ generation }) => generation === active?.id);
  return {
    label: active?.release.label ?? null,
    generation: active?.id ?? null,
    standby: isKept ? { label: standby.release.label } : null,
    busy: !isSteady,
    state: isSteady ? 'steady' : state.phase === 'steady' ? 'handing-over' : state.phase,
    verdict: entry?.verdict?.reason ?? null
  };
}
