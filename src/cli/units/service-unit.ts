import type { Options } from '../../options/options.ts';
import { hardening } from './hardening.ts';
import { type Section, unitSocketPath, writeCommand, writeUnit, writeValue, writeVariable } from './unit-text.ts';
import type { UnitUser } from './unit-user.ts';

/** What a service unit is made of. */
export interface ServicePlan {
  /** Name of the app. */
  readonly app: string;
  /** Name of the unit, without `.service`. */
  readonly unit: string;
  /** Where `run` is started. */
  readonly folder: string;
  /** Where the app may write, beside the folders that systemd makes for it. */
  readonly writable: readonly string[];
  /** The program and what comes before the name of a command: Node and the file of `handover`. */
  readonly handover: readonly string[];
  /** The arguments of `run`. */
  readonly run: readonly string[];
  readonly options: Options;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: UnitUser;
  /** Socket units whose sockets it gets. */
  readonly sockets: readonly string[];
  /** Whether a port below 1024 has to be bound by it. */
  readonly bindsLowPort: boolean;
  /** Where its output goes, if not into the journal. */
  readonly output?: { readonly out?: string; readonly error?: string };
}

/** After the drain timeout a worker has 5 s from SIGTERM to SIGKILL; the rest is for a busy machine. */
const AFTER_DRAIN_MS = 15_000;
/** What a handover takes beside getting ready and draining, at the most. */
const AROUND_START_MS = 60_000;

/** The control socket of a system unit: where its own user and root find it. */
export function unitSocket({ unit, options, user }: Pick<ServicePlan, 'unit' | 'options' | 'user'>): string | null {
  if (options.socket !== null) return options.socket;
  return user.kind === 'own' ? null : unitSocketPath(unit);
}

/** Writes the unit of a service that `handover run` keeps. */
export function writeServiceUnit(plan: ServicePlan): string {
  const { app, unit, folder, options, user, sockets, handover } = plan;
  const socket = unitSocket(plan);
  const own = socket === null || options.socket !== null ? [] : ['--socket', socket];
  const place = placeOf(plan, socket);
  const state = options.stateFile === null ? ['--state-file', stateFile(plan)] : [];
  const order = (name: string) => writeCommand([...handover, name, ...place]);
  const service = [
    '# Started when the first version accepts. What tells systemd so is a child of the main process, hence all.',
    'Type=notify',
    'NotifyAccess=all',
    ...userLines(user),
    `WorkingDirectory=${writeValue(folder)}`,
    ...Object.entries(plan.environment).map(([name, value]) => `Environment=${writeVariable(name, value)}`),
    `ExecStart=${writeCommand([...handover, 'run', ...insert(plan.run, [...own, ...state])]).replaceAll('%%S/', '%S/')}`,
    '# Hands over to the version on the disk; fails when that does not become ready, and the old one serves on.',
    `ExecReload=${order('reload')}`,
    `ExecStop=${order('stop')}`,
    '# Longer than --ready-timeout, and for a stop longer than --drain-before, --drain-timeout and the 5 s after it.',
    `TimeoutStartSec=${seconds(startMs(options))}`,
    `TimeoutStopSec=${seconds(options.drainBefore + options.drainTimeout + AFTER_DRAIN_MS)}`,
    '',
    'Restart=always',
    'RestartSec=1',
    'WatchdogSec=30',
    '# Workers outlive a main process that is killed, and serve until the next one does: `mixed` would kill them with it.',
    'KillMode=process',
    ...(sockets.length === 0
      ? []
      : [
          '# A start leaves the sockets as they are: else workers that outlived a main process could hang in accept().',
          'NonBlocking=yes'
        ]),
    ...outputLines(plan),
    '',
    '# The folder of the control socket, kept while the service is restarted; the history is kept for good.',
    ...(user.kind === 'own' ? [] : [`RuntimeDirectory=${unit}`, 'RuntimeDirectoryPreserve=restart']),
    `StateDirectory=${unit}`,
    '',
    ...hardening(plan)
  ];
  const sections: Section[] = [
    {
      title: 'Unit',
      lines: [
        `Description=${writeValue(app)}`,
        ...(user.kind === 'own' ? [] : ['Wants=network-online.target', 'After=network-online.target']),
        ...(sockets.length === 0 ? [] : [`Requires=${sockets.join(' ')}`]),
        '# Tried again for as long as it takes.',
        'StartLimitIntervalSec=0'
      ]
    },
    { title: 'Service', lines: [...service, ...(sockets.length > 1 ? [`Sockets=${sockets.join(' ')}`] : [])] },
    {
      title: 'Install',
      lines: [
        `WantedBy=${user.kind === 'own' ? 'default.target' : 'multi-user.target'}`,
        ...(sockets.length === 0 ? [] : [`Also=${sockets.join(' ')}`])
      ]
    }
  ];
  return writeUnit(sections);
}

/** How the other commands are told which supervisor is meant. */
function placeOf({ app }: ServicePlan, socket: string | null): string[] {
  return socket === null ? ['--name', app] : ['--socket', socket];
}

function stateFile({ unit, user }: ServicePlan): string {
  return user.kind === 'own' ? `%S/${unit}/state.json` : `/var/lib/${unit}/state.json`;
}

/** Flags of ours come before everything else: after the entry they might be the app's. */
function insert(run: readonly string[], flags: readonly string[]): string[] {
  return [...flags, ...run];
}

function userLines(user: UnitUser): string[] {
  if (user.kind === 'own') return [];
  if (user.kind === 'dynamic')
    return [
      '# A user that exists while the service does: name one with --run-as, or own the folder.',
      'DynamicUser=yes'
    ];
  return [
    ...(user.why === undefined ? [] : [`# ${user.why}`]),
    `User=${user.name}`,
    ...(user.group === null ? [] : [`Group=${user.group}`])
  ];
}

function outputLines({ output = {} }: ServicePlan): string[] {
  const target = (path: string) => (path === '/dev/null' ? 'null' : `append:${writeValue(path)}`);
  return [
    ...(output.out === undefined ? [] : [`StandardOutput=${target(output.out)}`]),
    ...(output.error === undefined ? [] : [`StandardError=${target(output.error)}`])
  ];
}

/** A first start, or a reload that is an order of systemd: it waits for every worker to be ready, one by one where it has to. */
function startMs({ readyTimeout, drainTimeout, drainBefore, strategy, workers }: Options): number {
  const oneByOne = strategy === 'rolling' || strategy === 'in-place' ? workers : 1;
  return readyTimeout * oneByOne + (strategy === 'blue-green' ? 0 : drainTimeout + drainBefore) + AROUND_START_MS;
}

function seconds(ms: number): string {
  return String(Math.ceil(ms / 1000));
}
