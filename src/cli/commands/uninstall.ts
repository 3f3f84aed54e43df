import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import { Option } from '../commander.ts';
import { createJsonFlag } from '../flags.ts';
import { findInstalled, listInstalled, removeFiles, unitFolder } from '../units/installed.ts';
import { isSystemdRunning, systemctl } from '../units/systemctl.ts';
import { unitName, writeValue } from '../units/unit-text.ts';
import type { Command } from './command.ts';

interface UninstallFlags {
  readonly name?: string;
  readonly user?: true;
  readonly print?: true;
  readonly json?: true;
}

export const uninstall: Command = {
  name: 'uninstall',
  operands: [],
  about: 'Stop what `install` or `import` installed for this folder, and remove its units.',
  details: 'Configs, logs, the history and drop-ins stay. Units that handover did not write are left alone.',
  flags: () => [
    new Option('--name <app>', 'Which one. Default: the one of this folder.'),
    new Option('--user', 'A unit of this user (systemctl --user).'),
    new Option('--print', 'Only show what would be stopped and removed.'),
    createJsonFlag()
  ],
  async run(given, io) {
    const flags = given.flags as UninstallFlags;
    const isUser = flags.user === true;
    const folder = unitFolder(isUser);
    const unit = flags.name === undefined ? findOfFolder(folder, logicalCwd()) : unitName(flags.name);
    const names = findInstalled(folder, unit);
    if (names.length === 0) throw nothing(unit, folder);
    const paths = names.map((name) => join(folder, name));
    const stops = isSystemdRunning(isUser);
    if (!flags.print) {
      if (stops) await systemctl(isUser, 'disable', '--now', ...names);
      removeFiles(folder, names);
      if (stops) await systemctl(isUser, 'daemon-reload');
    }
    const removed = flags.print ? [] : paths;
    if (flags.json)
      return io.out(JSON.stringify({ ok: true, unit, units: paths, removed, stopped: stops && !flags.print }));
    if (flags.print) return io.out(`Would be stopped and removed: ${paths.join(', ')}`);
    io.out(
      `${stops ? 'Stopped and removed' : 'Removed (no systemd runs here that could have stopped it)'}: ${removed.join(', ')}`
    );
  }
};

/** The one unit whose folder this is. */
function findOfFolder(folder: string, here: string): string {
  const all = listInstalled(folder);
  const line = `WorkingDirectory=${writeValue(here)}`;
  const found = all.filter((unit) =>
    findInstalled(folder, unit).some((name) => readFileSync(join(folder, name), 'utf8').split('\n').includes(line))
  );
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) throw nothing(null, folder, all);
  throw new HandoverError('HANDOVER_ERR_OPTION_AMBIGUOUS', {
    what: 'It is not clear which unit is meant',
    why: `several are of this folder: ${found.join(', ')}`,
    fix: 'Choose one with --name'
  });
}

function nothing(unit: string | null, folder: string, others: readonly string[] = []): HandoverError {
  const there = others.length === 0 ? '' : `; handover wrote there: ${others.join(', ')}`;
  return new HandoverError('HANDOVER_ERR_REFUSED_INSTALL', {
    what: 'There is nothing to uninstall',
    why: `in ${folder} is no unit of handover ${unit === null ? 'for this folder' : `called "${unit}"`}${there}`,
    fix: 'Name it with --name; units of a user need --user'
  });
}
