import { existsSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { findUser } from '../../control/asked-by.ts';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import type { Options } from '../../options/options.ts';
import type { Given } from '../commands/command.ts';
import { createConfigSource } from '../config-source.ts';
import { runsWorkersAs } from './hardening.ts';
import { findInvocation } from './invocation.ts';
import { writeRun } from './run-words.ts';
import { type ServicePlan, unitSocket, writeServiceUnit } from './service-unit.ts';
import { writeSocketUnits } from './socket-unit.ts';
import { type UnitFile, unitName } from './unit-text.ts';
import { chooseUser, toRoot, toUser, type UnitUser } from './unit-user.ts';

interface Wanted {
  readonly isUser: boolean;
  readonly runAs: string | undefined;
  readonly socketActivation: boolean;
}

/** The units of one service, and what is to be known of them. */
export interface PlannedService {
  readonly app: string;
  readonly unit: string;
  readonly files: readonly UnitFile[];
  readonly enabled: readonly string[];
  readonly socket: string | null;
  readonly notes: readonly string[];
}

/**
 * Plans the units of what `run` would start here. Its arguments and its config are read as `run` does, so that what it would
 * refuse is refused now.
 *
 * @throws HANDOVER_ERR_OPTION_*
 */
export async function planService(run: Given, { isUser, runAs, socketActivation }: Wanted): Promise<PlannedService> {
  const folder = logicalCwd();
  const { previewRun } = await import('../../supervise.ts');
  const first = await createConfigSource(run, folder).read();
  const { name: app, folder: start, options } = await previewRun(first);
  const unit = unitName(app);
  const sockets = socketActivation ? writeSockets(app, unit, options) : null;
  const { words, isLasting } = findInvocation(folder);
  const user: UnitUser = isUser ? { kind: 'own' } : runAs === undefined ? chooseOwner(folder, options) : toUser(runAs);
  const plan: ServicePlan = {
    ...{ app, unit, folder, options, user, handover: words },
    writable: [writableOf(folder), writableOf(start)].filter((one, at, all) => all.indexOf(one) === at),
    run: writeRun(run, sockets?.listen ?? null),
    environment: { NODE_ENV: 'production' },
    sockets: sockets?.files.map(({ name }) => name) ?? [],
    bindsLowPort: !socketActivation && options.listen.some((one) => 'port' in one && one.port > 0 && one.port < 1024)
  };
  const service = { name: `${unit}.service`, text: writeServiceUnit(plan) };
  const files = [service, ...(sockets?.files ?? [])];
  return {
    ...{ app, unit, files, socket: unitSocket(plan) },
    enabled: [...(sockets?.files.map(({ name }) => name) ?? []), service.name],
    notes: [
      ...(isUser && !lingers()
        ? [`It runs while you are logged in; with the machine after \`loginctl enable-linger\`.`]
        : []),
      ...(isLasting
        ? []
        : [
            'This handover is one that npx has fetched, and goes with its cache: `npm install handover` in the folder.'
          ]),
      ...(run.flags.env === undefined
        ? []
        : ['What --env says stands in the unit, which everybody may read: secrets belong into an --env-file.'])
    ]
  };
}

/** Whether the units of this user are started with the machine. @source loginctl(1); logind keeps a file for each such user */
function lingers(): boolean {
  return existsSync(`/var/lib/systemd/linger/${findUser()}`);
}

/**
 * Who is to run workers as somebody else has to be root itself. Who would give root up after binding is given no more than
 * the right to bind, by systemd: that user from the first moment on.
 */
function chooseOwner(folder: string, options: Options): UnitUser {
  if (options.supervisorUser !== null) return toUser(options.supervisorUser, options.group);
  return runsWorkersAs(options) ? toRoot('only root can run workers as another user') : chooseUser(folder);
}

/** Behind a link the next release is in a folder beside this one. */
function writableOf(folder: string): string {
  return lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true ? dirname(folder) : folder;
}

function writeSockets(app: string, unit: string, options: Options): ReturnType<typeof writeSocketUnits> {
  const passed = options.listen.some((one) => 'systemd' in one);
  if (options.listen.length > 0 && !passed) return writeSocketUnits(app, unit, options);
  throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: '"--socket-activation" is not usable',
    why: passed ? 'the address is one of systemd already' : 'no address is known that systemd could hold',
    fix: 'Name it with --listen, as in `handover install server.js --listen 80 --socket-activation`'
  });
}
