import { type UnitFile, writeCommand, writeUnit, writeValue } from './unit-text.ts';
import { toUser, type UnitUser } from './unit-user.ts';

/** A program that systemd keeps running, or starts at its times, without handover. */
export interface ProgramPlan {
  readonly app: string;
  readonly unit: string;
  readonly folder: string;
  readonly words: readonly string[];
  readonly user: UnitUser;
  /** Runs and ends, instead of being kept running. */
  readonly isJob: boolean;
  /** A file of its variables; null: it has none. */
  readonly environmentFile: string | null;
  readonly output: { readonly out?: string; readonly error?: string };
  readonly stopMs: number | null;
  readonly memory: string | number | null;
}

/** Writes the unit of a program that handover has nothing to do with. */
export function writeProgramUnit(plan: ProgramPlan): string {
  const { app, folder, words, user, isJob, environmentFile, output, stopMs, memory } = plan;
  const target = (path: string) => (path === '/dev/null' ? 'null' : `append:${writeValue(path)}`);
  const owner = user.kind === 'dynamic' ? toUser('root') : user;
  return writeUnit([
    {
      title: 'Unit',
      lines: [`Description=${writeValue(app)}`, 'Wants=network-online.target', 'After=network-online.target']
    },
    {
      title: 'Service',
      lines: [
        `Type=${isJob ? 'oneshot' : 'exec'}`,
        ...(owner.kind === 'named'
          ? [`User=${owner.name}`, ...(owner.group === null ? [] : [`Group=${owner.group}`])]
          : []),
        `WorkingDirectory=${writeValue(folder)}`,
        ...(environmentFile === null ? [] : [`EnvironmentFile=${writeValue(environmentFile)}`]),
        `ExecStart=${writeCommand(words)}`,
        ...(isJob ? [] : ['Restart=always', 'RestartSec=1']),
        ...(stopMs === null ? [] : [`TimeoutStopSec=${Math.ceil(stopMs / 1000)}`]),
        ...(memory === null ? [] : [`MemoryMax=${String(memory).replace(/B$/, '')}`]),
        ...(output.out === undefined ? [] : [`StandardOutput=${target(output.out)}`]),
        ...(output.error === undefined ? [] : [`StandardError=${target(output.error)}`]),
        'NoNewPrivileges=yes'
      ]
    },
    ...(isJob
      ? []
      : [{ title: 'Install', lines: [`WantedBy=${user.kind === 'own' ? 'default.target' : 'multi-user.target'}`] }])
  ]);
}

/** Writes a timer, and the unit that it starts where that is not the one of the app. */
export function writeTimer(
  app: string,
  unit: string,
  calendar: readonly string[],
  order: readonly string[] | null
): UnitFile[] {
  const name = order === null ? unit : `${unit}-by-the-clock`;
  const timer = writeUnit([
    { title: 'Unit', lines: [`Description=When ${writeValue(app)} is ${order === null ? 'run' : 'renewed'}`] },
    { title: 'Timer', lines: [...calendar.map((at) => `OnCalendar=${at}`), 'AccuracySec=1s'] },
    { title: 'Install', lines: ['WantedBy=timers.target'] }
  ]);
  const started =
    order === null
      ? []
      : [
          {
            name: `${name}.service`,
            text: writeUnit([
              { title: 'Unit', lines: [`Description=Renews ${writeValue(app)} by the clock`] },
              { title: 'Service', lines: ['Type=oneshot', `ExecStart=${writeCommand(order)}`] }
            ])
          }
        ];
  return [{ name: `${name}.timer`, text: timer }, ...started];
}

/** A file of variables, as `EnvironmentFile=` reads it. */
export function writeEnvironment(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => `${name}="${value.replace(/["\\`$]/g, '\\$&')}"\n`);
  return lines.join('');
}
