import { type Finding, ok, type Patient, unknown, warning, wrong } from './finding.ts';

/** What a worker gets after the drain timeout, from SIGTERM to SIGKILL. */
const AFTER_DRAIN_MS = 5_000;
const DEFAULT_STOP_MS = 90_000;
const SHORTEST_WATCHDOG_MS = 4_000;

const UNITS: Readonly<Record<string, number>> = {
  '': 1_000,
  us: 0.001,
  ms: 1,
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000
};

/** What the unit says beside what handover needs. */
export function checkUnit({ unit, options }: Patient): Finding[] {
  if (unit === null)
    return [
      unknown(
        'unit',
        'no unit of systemd is known of this folder; name its file with --unit, or `handover install` one'
      )
    ];
  const values = readValues(unit.text);
  const value = (name: string) => values.get(name) ?? '';
  return [
    checkKill(value('KillMode')),
    checkStop(value('TimeoutStopSec'), options),
    checkNotify(value('Type'), value('NotifyAccess'), value('WatchdogSec')),
    checkStart(value('ExecStart')),
    ...checkBlocking(value('NonBlocking'), [value('Requires'), value('Sockets'), value('ExecStart')].join(' ')),
    checkFolders(value('RuntimeDirectory'), value('RuntimeDirectoryPreserve'))
  ];
}

function checkKill(mode: string): Finding {
  if (mode === 'process') return ok('unit.KillMode', 'workers outlive a main process that is killed');
  const said = mode === '' ? 'KillMode= is not set, which is control-group' : `KillMode=${mode}`;
  if (mode === 'none') return warning('unit.KillMode', `${said}: nothing ends what hangs`, 'KillMode=process');
  return wrong(
    'unit.KillMode',
    `${said}: with a main process that is killed all workers die, and their requests`,
    'KillMode=process'
  );
}

function checkStop(given: string, { drainBefore, drainTimeout }: Patient['options']): Finding {
  const stopMs = given === '' ? DEFAULT_STOP_MS : readSpan(given);
  const needed = drainBefore + drainTimeout + AFTER_DRAIN_MS;
  const parts = drainBefore > 0 ? '--drain-before, --drain-timeout and 5 s' : '--drain-timeout and 5 s';
  if (stopMs === null) return unknown('unit.TimeoutStopSec', `TimeoutStopSec=${given} is not understood here`);
  const said = `TimeoutStopSec is ${showSpan(stopMs)}, and a stop may take ${showSpan(needed)} (${parts})`;
  return stopMs > needed
    ? ok('unit.TimeoutStopSec', said)
    : wrong(
        'unit.TimeoutStopSec',
        said,
        `TimeoutStopSec=${Math.ceil(needed / 1000) + 10}, or a shorter --drain-timeout`
      );
}

function checkNotify(type: string, access: string, watchdog: string): Finding {
  const needsWord = type.startsWith('notify') || watchdog !== '';
  const watchdogMs = watchdog === '' ? null : readSpan(watchdog);
  if (watchdogMs !== null && watchdogMs > 0 && watchdogMs < SHORTEST_WATCHDOG_MS)
    return wrong(
      'unit.notify',
      `WatchdogSec=${watchdog} is shorter than a busy machine takes to say that it lives`,
      'WatchdogSec=30'
    );
  if (needsWord && access !== 'all')
    return wrong(
      'unit.notify',
      `NotifyAccess=${access || 'main'}: the word comes from a child of the main process, and is not heard`,
      'NotifyAccess=all'
    );
  if (!needsWord)
    return warning(
      'unit.notify',
      `Type=${type || 'simple'}: it counts as started before it serves`,
      'Type=notify and NotifyAccess=all'
    );
  return ok('unit.notify', 'systemd hears when it serves');
}

function checkStart(command: string): Finding {
  const [program = ''] = command.replace(/^[-@:+!]*/, '').split(/\s+/);
  if (/(?:^|\/)(?:npx|npm|yarn|pnpm)$/.test(program))
    return wrong(
      'unit.ExecStart',
      `${program} starts it, and passes no signal on`,
      'ExecStart= with node_modules/.bin/handover itself'
    );
  if (/(?:^|\/)(?:ba|da)?sh$/.test(program) && !/\bexec\b/.test(command))
    return wrong('unit.ExecStart', `a shell starts it, and passes no signal on`, 'Write `exec` before the command');
  return ok('unit.ExecStart', program === '' ? 'nothing is started by it' : 'the command itself is started');
}

/** Of interest where systemd passes the sockets. */
function checkBlocking(given: string, text: string): Finding[] {
  if (!/\.socket\b|\bsystemd(?::|\s|$)/.test(text)) return [];
  if (/^(?:1|y|yes|t|true|on)$/i.test(given)) return [ok('unit.NonBlocking', 'a start leaves its sockets as they are')];
  const said = given === '' ? 'NonBlocking= is not set, which is no' : `NonBlocking=${given}`;
  return [
    wrong(
      'unit.NonBlocking',
      `${said}: when the service is started again after a kill, workers that serve on can hang in accept()`,
      'NonBlocking=yes'
    )
  ];
}

function checkFolders(folder: string, preserve: string): Finding {
  if (folder !== '' && preserve !== 'restart' && preserve !== 'yes')
    return warning(
      'unit.RuntimeDirectory',
      'the folder of the control socket is removed under workers that serve on',
      'RuntimeDirectoryPreserve=restart'
    );
  return ok(
    'unit.RuntimeDirectory',
    folder === '' ? 'systemd makes no folder for it' : 'it is kept while the service is restarted'
  );
}

/** The last value of each name: drop-ins come after the unit. An empty one takes those before back. */
function readValues(text: string): ReadonlyMap<string, string> {
  const lines = text.replace(/\\\n\s*/g, ' ').split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, name, value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value] as const];
    })
  );
}

/** `90`, `1min 30s`, `infinity`. @source systemd.time(7) */
function readSpan(text: string): number | null {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  let all = 0;
  const rest = text.replace(/(\d+(?:\.\d+)?)\s*([a-z]*)/g, (_, number: string, unit: string) => {
    all += Number(number) * (UNITS[unit] ?? Number.NaN);
    return '';
  });
  return rest.trim() === '' && Number.isFinite(all) ? all : null;
}

function showSpan(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? 'without end' : `${ms / 1000} s`;
}
