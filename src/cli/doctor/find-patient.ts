import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import { OPTIONS } from '../../options/options.ts';
import { readOptions } from '../../options/read-options.ts';
import type { UserOptions } from '../../options/user-options.ts';
import { mergeLayers, readLayers } from '../config.ts';
import { findRunning, findSupervisor, type Running, type SupervisorFlags } from '../find.ts';
import { flagOf } from '../flags.ts';
import { splitWords } from '../pm2/split-words.ts';
import { unitFolder } from '../units/installed.ts';
import type { Patient } from './finding.ts';
import { read } from './machine.ts';

/** What says how a service is: its unit, its process, its config. */
type Sources = Pick<Patient, 'folder' | 'options' | 'running' | 'unit'>;

/**
 * Finds what is to be looked at: the supervisor that is named or of this folder, its unit and its config.
 *
 * @throws HANDOVER_ERR_OPTION_*
 */
export async function findPatient(flags: SupervisorFlags, unitFile: string | undefined): Promise<Sources> {
  const running = await findOne(flags);
  const folder = running?.status.supervisor.cwd ?? logicalCwd();
  const unit = unitFile === undefined ? findUnit(folder, running) : readUnit(unitFile);
  if (unitFile !== undefined && unit === null) throw noUnit(unitFile);
  const config = mergeLayers(await readLayers(folder));
  const own = Object.entries(config).filter(([name]) => Object.hasOwn(OPTIONS, name));
  const flagged = running ? readCommand(running.status.supervisor.pid) : readExecStart(unit?.text ?? '');
  return { folder, running, unit, options: readOptions({ ...Object.fromEntries(own), ...flagged } as UserOptions) };
}

async function findOne(flags: SupervisorFlags): Promise<Running | null> {
  try {
    const [found] = await findRunning(await findSupervisor(flags));
    return found ?? null;
  } catch (error) {
    if (HandoverError.is(error) && error.code === 'HANDOVER_ERR_CONTROL_UNREACHABLE') return null;
    throw error;
  }
}

/** The unit that a process belongs to, or the one that starts something here. */
function findUnit(folder: string, running: Running | null): Patient['unit'] {
  const group = running ? read(`/proc/${running.status.supervisor.pid}/cgroup`) : null;
  const [, name] = /\/([^/\n]+\.service)$/m.exec(group ?? '') ?? [];
  const folders = [unitFolder(false), unitFolder(true), '/run/systemd/system', '/lib/systemd/system'];
  for (const place of folders) {
    const names = name === undefined ? list(place).filter((file) => file.endsWith('.service')) : [name];
    for (const one of names) {
      const unit = readUnit(join(place, one));
      if (!unit || !/^ExecStart=.*handover/m.test(unit.text)) continue;
      if (name !== undefined || unit.text.split('\n').includes(`WorkingDirectory=${folder}`)) return unit;
    }
  }
  return null;
}

function readUnit(path: string): Patient['unit'] {
  const text = read(path);
  if (text === null) return null;
  const folders = [...new Set([dirname(path), unitFolder(false)])].map((folder) => join(folder, `${basename(path)}.d`));
  const dropIns = folders.flatMap((folder) => list(folder).map((file) => read(join(folder, file)) ?? ''));
  return { path, text: [text, ...dropIns].join('\n') };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // there is none, or not for this user
  }
}

function readCommand(pid: number): UserOptions {
  return readFlags((read(`/proc/${pid}/cmdline`) ?? '').split('\0'));
}

function readExecStart(text: string): UserOptions {
  const [line = ''] = [...text.matchAll(/^ExecStart=(.*handover.*)$/gm)].map(([, command = '']) => command).slice(-1);
  return readFlags(splitWords(line.replaceAll('%%', '%').replaceAll('$$', '$')));
}

/** The options that the words of a command say, those that are none left out. */
function readFlags(words: readonly string[]): UserOptions {
  const found: Record<string, unknown> = {};
  for (const [name, { read: usable, ...spec }] of Object.entries(OPTIONS)) {
    const flag = flagOf(name);
    const values = words.flatMap((word, at) =>
      word === flag ? [words[at + 1] ?? ''] : word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : []
    );
    const value = 'repeatable' in spec ? values : values.at(-1);
    if (values.length > 0 && (usable as (given: unknown) => unknown)(value) !== undefined) found[name] = value;
  }
  return found as UserOptions;
}

function noUnit(path: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: '"--unit" is not usable',
    why: `${path} cannot be read`,
    fix: 'Give the path of the file of a unit, such as /etc/systemd/system/shop.service'
  });
}
