import { accessSync, constants, existsSync } from 'node:fs';
import { ControlClient } from '../control/client.ts';
import { findMachineSockets, type MachineSocket } from '../control/machine-sockets.ts';
import { findSocket, findSockets } from '../control/socket-path.ts';
import type { Status } from '../core/status.ts';
import { HandoverError, systemCode } from '../errors.ts';
import { logicalCwd } from '../options/cwd.ts';
import { readOptions } from '../options/read-options.ts';
import { pickPlace, readLayers } from './config.ts';
import { unitName, unitSocketPath } from './units/unit-text.ts';

/** Which supervisor a command means, as far as it was said. */
export interface SupervisorFlags {
  readonly name?: string;
  readonly socket?: string;
}

/** A supervisor that answers. */
export interface Running {
  readonly socket: string;
  readonly status: Status;
}

/**
 * Finds the control socket of the supervisor that a command means: the one that the flags name, else the config of the
 * working directory, else the only one that runs.
 *
 * A config that is broken, or names another supervisor by now, is no obstacle to the one that was started here.
 *
 * @throws HANDOVER_ERR_OPTION_AMBIGUOUS, HANDOVER_ERR_CONTROL_UNREACHABLE, HANDOVER_ERR_OPTION_*
 */
export async function findSupervisor(flags: SupervisorFlags): Promise<string> {
  const named = placeOf(flags);
  if (named !== null) return named;
  let place: string | null;
  try {
    place = placeOf(pickPlace(await readLayers(logicalCwd())));
  } catch (error) {
    const here = await findStartedHere();
    if (here === null) throw error;
    return here;
  }
  if (place === null) return chooseOnly(await findMine());
  return existsSync(place) ? place : ((await findStartedHere()) ?? place);
}

/** The only supervisor that was started in the working directory; null where there is none, or several. */
async function findStartedHere(): Promise<string | null> {
  const isHere = ({ status }: Running) => status.supervisor.cwd === logicalCwd();
  const own = (await findRunning()).filter(isHere);
  const [only, ...others] = own.length > 0 ? own : (await findOnMachine()).running.filter(isHere);
  return only && others.length === 0 ? only.socket : null;
}

/** Those of this user; where there are none, the one that serves this folder, whoever it runs as. */
async function findMine(): Promise<readonly Running[]> {
  const own = await findRunning();
  if (own.length > 0) return own;
  return (await findOnMachine()).running.filter(({ status }) => status.supervisor.cwd === logicalCwd());
}

/** Where the supervisor of that name or socket listens, or null where neither was said. */
export function placeOf({ name, socket }: SupervisorFlags): string | null {
  readOptions({ ...(name === undefined ? {} : { name }), ...(socket === undefined ? {} : { socket }) });
  return socket ?? (name === undefined ? null : placeOfName(name));
}

/** Where the supervisors of this user are; else where `install` puts that of a unit of the machine. */
function placeOfName(name: string): string {
  const own = findSocket(name);
  const unit = unitSocketPath(unitName(name));
  return existsSync(own) || !existsSync(unit) ? own : unit;
}

/** The only one that runs; a command must not guess between several. */
export function chooseOnly(running: readonly Running[]): string {
  const [only, ...others] = running;
  if (!only) {
    throw new HandoverError('HANDOVER_ERR_CONTROL_UNREACHABLE', {
      what: 'Cannot reach a supervisor',
      why: 'none runs that this user can see',
      fix: 'Start one with `handover run <entry>`, say where it is with --socket, or give the order as the user who started it'
    });
  }
  if (others.length === 0) return only.socket;
  throw new HandoverError('HANDOVER_ERR_OPTION_AMBIGUOUS', {
    what: 'It is not clear which supervisor is meant',
    why: `${running.length} run: ${running.map(({ status, socket }) => `${status.app} (${socket})`).join(', ')}`,
    fix: 'Choose one with --name, or with --socket'
  });
}

/**
 * Every supervisor of this user that answers. Sockets left over by killed ones do not count.
 *
 * @param only the one socket to ask; null asks all
 */
export async function findRunning(only: string | null = null): Promise<readonly Running[]> {
  const sockets = only === null ? findSockets().map(({ path }) => path) : [only];
  const asked = await Promise.all(sockets.map(ask));
  return asked.filter((one) => one !== null);
}

/** Every supervisor of the machine: those that this user may ask, and those that it may not. */
export async function findOnMachine(): Promise<{
  readonly running: readonly Running[];
  readonly unreadable: readonly (MachineSocket & { readonly why: string })[];
}> {
  const own = findSockets().map(({ path }) => ({ path, pid: 0, uid: null }));
  const machine = findMachineSockets();
  const all = [...own.filter(({ path }) => !machine.some((one) => one.path === path)), ...machine];
  const asked = await Promise.all(all.map(async (one) => ({ one, running: await ask(one.path) })));
  return {
    running: asked.flatMap(({ running }) => running ?? []),
    unreadable: asked.flatMap(({ one, running }) =>
      running || one.pid === 0 ? [] : [{ ...one, why: explainUnreadable(one) }]
    )
  };
}

function explainUnreadable({ path, uid }: MachineSocket): string {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return 'it does not answer';
  } catch (error) {
    if (systemCode(error) === 'EACCES')
      return `only its user${uid === null ? '' : ` (uid ${uid})`} and root may ask it`;
    return 'its path is one of a container, or of a service with folders of its own';
  }
}

async function ask(socket: string): Promise<Running | null> {
  const client = new ControlClient(socket);
  try {
    return { socket, status: await client.status() };
  } catch {
    return null; // whatever the reason, this one cannot be given an order
  } finally {
    await client.close();
  }
}
