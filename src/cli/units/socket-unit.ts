import type { Options } from '../../options/options.ts';
import type { ListenAddress } from '../../options/readers.ts';
import { type UnitFile, writeUnit, writeValue } from './unit-text.ts';

interface SocketUnits {
  readonly files: readonly UnitFile[];
  /** What `--listen` says instead of the addresses. */
  readonly listen: readonly string[];
}

/**
 * Writes the socket units that hold the addresses of a service: one, or one for each where they go to servers that ask for
 * different ports, since all sockets of one unit share their name.
 */
export function writeSocketUnits(app: string, unit: string, options: Options): SocketUnits {
  const { listen } = options;
  const isOne = listen.every(({ asked }) => asked === null);
  const groups = isOne ? [listen] : listen.map((one) => [one]);
  const files = groups.map((group, at) => {
    const name = at === 0 ? unit : `${unit}-${at + 1}`;
    return { name: `${name}.socket`, text: writeOne(app, unit, name, group, options) };
  });
  const names = files.map(({ name }) => name.slice(0, -'.socket'.length));
  const flags = isOne
    ? ['systemd']
    : listen.map(({ asked }, at) => `systemd:${names[at]}${asked === null ? '' : `=${asked}`}`);
  return { files, listen: flags };
}

function writeOne(
  app: string,
  unit: string,
  name: string,
  group: readonly ListenAddress[],
  { listenMode, listenGroup }: Options
): string {
  const isUnix = group.some((one) => 'path' in one);
  return writeUnit([
    {
      title: 'Unit',
      lines: [
        `Description=The ${group.length === 1 ? 'address' : 'addresses'} of ${writeValue(app)}`,
        '# Held by systemd: what connects while the service is stopped, started or restarted waits.'
      ]
    },
    {
      title: 'Socket',
      lines: [
        ...group.map((one) => `ListenStream=${writeValue(writeAddress(one))}`),
        `FileDescriptorName=${name}`,
        ...(name === unit ? [] : [`Service=${unit}.service`]),
        ...(isUnix && listenMode !== null ? [`SocketMode=0${listenMode.toString(8)}`] : []),
        ...(isUnix && listenGroup !== null ? [`SocketGroup=${listenGroup}`] : [])
      ]
    },
    { title: 'Install', lines: ['WantedBy=sockets.target'] }
  ]);
}

function writeAddress(address: ListenAddress): string {
  if ('path' in address) return address.path;
  if ('systemd' in address) return '';
  if (address.host === undefined) return String(address.port);
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
