import { HandoverError } from '../../errors.ts';
import { Option } from '../commander.ts';
import { isSystemdRunning, showSystemctl, systemctl } from './systemctl.ts';

/** What `install` and `import` have in common. */
export interface UnitFlags {
  readonly user?: true;
  readonly runAs?: string;
  readonly force?: true;
  readonly now?: true;
  readonly json?: true;
}

export function createUnitFlags(): Option[] {
  return [
    new Option('--user', 'Units of this user (systemctl --user) instead of the machine.'),
    new Option(
      '--run-as <user>',
      'User of the service. Default: the owner of its folder; of root, one that systemd makes for it.'
    ),
    new Option('--now', 'Enable and start it, after writing.'),
    new Option('--force', 'Write over files that are not of handover, or were changed.')
  ];
}

/**
 * Has systemd read the units anew, and enable and start these.
 *
 * @throws HANDOVER_ERR_REFUSED_INSTALL
 */
export async function startUnits(isUser: boolean, units: readonly string[]): Promise<true> {
  if (!isSystemdRunning(isUser)) throw noSystemd(showSystemctl(isUser, 'enable', '--now', ...units));
  await systemctl(isUser, 'daemon-reload');
  await systemctl(isUser, 'enable', '--now', ...units);
  return true;
}

function noSystemd(order: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_REFUSED_INSTALL', {
    what: 'The units are written, and not started',
    why: 'no systemd runs here that could do it',
    fix: `Where one runs: \`${order}\``
  });
}
