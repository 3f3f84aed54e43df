import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative, resolve } from 'node:path';
import { readDuration } from '../../options/durations.ts';
import { readOptions } from '../../options/read-options.ts';
import type { UserOptions } from '../../options/user-options.ts';
import { writeEnvironment, writeProgramUnit, writeTimer } from '../units/plain-unit.ts';
import { unitSocket, writeServiceUnit } from '../units/service-unit.ts';
import { type UnitFile, unitName } from '../units/unit-text.ts';
import { chooseUser, toUser, type UnitUser } from '../units/unit-user.ts';
import type { Translated } from './translate.ts';

/** A file of an app's own folder. */
export interface OwnFile {
  readonly path: string;
  readonly text: string;
}

/** What is to be written for one app. */
export interface ImportedApp extends Translated {
  readonly unit: string;
  /** Its config of handover, or the variables of a program; null where it needs none. */
  readonly config: (OwnFile & { readonly values: Readonly<Record<string, unknown>> | null }) | null;
  readonly units: readonly UnitFile[];
  /** The units that are to be enabled. */
  readonly enabled: readonly string[];
}

/** Plans the files of all apps of one file: names that are unique, and configs that do not stand in each other's place. */
export function planFiles(apps: readonly Translated[], isUser: boolean, handover: readonly string[]): ImportedApp[] {
  const units = nameUnits(apps);
  return apps.map((app, at) => {
    const unit = String(units[at]);
    const isAlone = apps.filter(({ cwd, kind }) => cwd === app.cwd && kind === 'handover').length === 1;
    const folder = isAlone ? app.cwd : join(app.cwd, 'handover', unit);
    return app.kind === 'handover' ? planService(app, unit, folder, isUser, handover) : planProgram(app, unit, isUser);
  });
}

function nameUnits(apps: readonly Translated[]): string[] {
  const names: string[] = [];
  for (const { name } of apps) {
    const wanted = unitName(name);
    let unit = wanted;
    for (let number = 2; names.includes(unit); number += 1) unit = `${wanted}-${number}`;
    names.push(unit);
  }
  return names;
}

function planService(
  app: Translated,
  unit: string,
  folder: string,
  isUser: boolean,
  handover: readonly string[]
): ImportedApp {
  const { name, cwd, options, env, output, calendar } = app;
  const hasOwn = folder !== cwd;
  const values = {
    ...options,
    // Two apps of one name have to be told apart.
    ...(unitName(name) === unit ? {} : { name: unit }),
    ...(hasOwn ? { cwd: relative(folder, cwd) } : {}),
    ...(Object.keys(env).length === 0 ? {} : { env })
  };
  const { entry: _entry, args: _args, node: _node, nodeOptions: _nodeOptions, envFile: _envFile, ...given } = options;
  const plan = {
    app: name,
    unit,
    folder,
    writable: [cwd],
    handover,
    run: [],
    options: readOptions(given as UserOptions),
    environment: {},
    user: userOf(app, isUser),
    sockets: [],
    bindsLowPort: isLowPort(env.PORT),
    output
  };
  const socket = unitSocket(plan);
  const order = [...handover, 'reload', ...(socket === null ? ['--name', name] : ['--socket', socket])];
  const timer = calendar.length === 0 ? [] : writeTimer(name, unit, calendar, order);
  const config = { path: join(folder, 'handover.config.json'), text: `${JSON.stringify(values, null, 2)}\n`, values };
  return {
    ...app,
    unit,
    config,
    units: [{ name: `${unit}.service`, text: writeServiceUnit(plan) }, ...timer],
    enabled: [`${unit}.service`, ...timer.map((one) => one.name).filter((one) => one.endsWith('.timer'))]
  };
}

function planProgram(app: Translated, unit: string, isUser: boolean): ImportedApp {
  const { name, cwd, kind, start, env, output, calendar, memory, stopMs } = { ...app, ...limitsOf(app) };
  const isJob = kind === 'job';
  const path = join(cwd, 'handover', unit, 'environment');
  const config = Object.keys(env).length === 0 ? null : { path, text: writeEnvironment(env), values: null };
  const environmentFile = config?.path ?? null;
  const user = userOf(app, isUser);
  const text = writeProgramUnit({
    ...{
      app: name,
      unit,
      folder: cwd,
      words: wordsOf(start, cwd),
      user,
      isJob,
      environmentFile,
      output,
      stopMs,
      memory
    }
  });
  const restart = ['systemctl', ...(isUser ? ['--user'] : []), 'restart', `${unit}.service`];
  const timer = calendar.length === 0 ? [] : writeTimer(name, unit, calendar, isJob ? null : restart);
  return {
    ...app,
    unit,
    config,
    units: [{ name: `${unit}.service`, text }, ...timer],
    enabled: [
      ...(isJob ? [] : [`${unit}.service`]),
      ...timer.map((one) => one.name).filter((one) => one.endsWith('.timer'))
    ]
  };
}

function limitsOf({ limits }: Translated): { stopMs: number | null; memory: string | number | null } {
  return {
    stopMs: limits.drainTimeout === undefined ? null : (readDuration(0)(limits.drainTimeout) ?? null),
    memory: limits.maxMemory ?? null
  };
}

function wordsOf(start: Translated['start'], cwd: string): string[] {
  if (start.kind === 'node') {
    const { node, nodeOptions, entry, args, envFile } = start;
    const file = envFile === null ? [] : [`--env-file=${envFile}`];
    return [node ?? process.execPath, ...nodeOptions, ...file, resolve(cwd, entry), ...args];
  }
  const [program = '', ...rest] = start.words;
  if (isAbsolute(program)) return [...start.words];
  if (program.includes('/') || existsSync(join(cwd, program))) return [resolve(cwd, program), ...rest];
  return [findProgram(program), ...rest];
}

/** Where a program is that was named only. systemd looks in the folders of the system, and not where users have theirs. */
function findProgram(name: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return found ?? `/usr/bin/${name}`;
}

function userOf({ cwd, user, group }: Translated, isUser: boolean): UnitUser {
  if (isUser) return { kind: 'own' };
  return user === null ? chooseUser(cwd) : toUser(user, group);
}

function isLowPort(port: string | undefined): boolean {
  return Number(port) > 0 && Number(port) < 1024;
}
