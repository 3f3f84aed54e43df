import { join } from 'node:path';
import { Option } from '../commander.ts';
import { createJsonFlag } from '../flags.ts';
import { mark, unitFolder, writeFiles } from '../units/installed.ts';
import { planService } from '../units/plan-service.ts';
import { showSystemctl } from '../units/systemctl.ts';
import { createUnitFlags, startUnits, type UnitFlags } from '../units/unit-flags.ts';
import type { Command } from './command.ts';

interface InstallFlags extends UnitFlags {
  readonly print?: true;
  readonly socketActivation?: true;
}

export const install: Command = {
  name: 'install',
  operands: ['[entry]', '[args...]'],
  about: 'Write units of systemd for this app and this folder: it is then started with the machine.',
  details: `The other arguments are those of \`run\`, config and all: what \`run\` would refuse is refused. What the unit is not allowed is
what neither Node nor handover needs. An existing unit is written over only if handover wrote it and nobody changed it since:

  handover install server.js --listen 80 --workers 2 --print
  handover install server.js --listen 80 --socket-activation --now
  handover install --user server.js --listen 3000          a unit of this user
  handover install -- server.js --user shop                after \`--\` all is of \`run\`, its --user <name> too`,
  flags: () => [
    new Option('--print', 'Only show the units.'),
    new Option('--socket-activation', 'A socket unit, too: systemd holds the addresses, and nobody is refused.'),
    ...createUnitFlags(),
    createJsonFlag()
  ],
  async run({ flags: all, run = { flags: {}, entry: null, app: null } }, io) {
    const flags = all as InstallFlags;
    const isUser = flags.user === true;
    const folder = unitFolder(isUser);
    const planned = await planService(run, {
      isUser,
      runAs: flags.runAs,
      socketActivation: flags.socketActivation === true
    });
    const { app, unit, files, enabled, socket, notes } = planned;
    const shown = files.map(({ name, text }) => ({ name, path: join(folder, name), text: mark(unit, text) }));
    const json = flags.json === true;
    if (!json) io.out(shown.map(({ path, text }) => `${io.paint('dim', `# ${path}`)}\n${text}`).join('\n'));
    const written = flags.print ? [] : writeFiles(folder, unit, files, flags.force === true);
    const started = !flags.print && flags.now ? await startUnits(isUser, enabled) : false;
    if (json)
      return io.out(JSON.stringify({ ok: true, app, unit, socket, units: shown, enabled, written, started, notes }));
    for (const note of notes) io.err(`${io.paintError('yellow', 'Note')}: ${note}`);
    if (flags.print) return;
    const place = socket === null ? `--name ${app}` : `--socket ${socket}`;
    const start = [showSystemctl(isUser, 'daemon-reload'), showSystemctl(isUser, 'enable', '--now', ...enabled)];
    const lines = start.map((line) => `  ${line}`).join('\n');
    io.out(
      [
        written.length === 0 ? 'All of it is there already.' : `Written: ${written.join(', ')}`,
        started ? `Started: ${enabled.join(', ')}.` : `To start it, now and with the machine:\n${lines}`,
        `On each deploy: \`${showSystemctl(isUser, 'reload', unit)}\`, or \`handover reload ${place}\`, which says more.`
      ].join('\n')
    );
  }
};
