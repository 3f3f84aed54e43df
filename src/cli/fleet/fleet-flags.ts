import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import type { FLEET_OPTIONS } from '../../options/fleet-options.ts';
import { OPTIONS } from '../../options/options.ts';
import { readEach } from '../../options/read-options.ts';
import type { UserOptions } from '../../options/user-options.ts';
import { Option } from '../commander.ts';
import { mergeLayers, readLayers } from '../config.ts';
import { createJsonFlag, flagOf } from '../flags.ts';

type Name = keyof typeof FLEET_OPTIONS;

/** Those of `run` by which a fleet is found; which machine it is does not matter here. */
const PLACE: readonly Name[] = ['etcd', 'service', 'etcdUser', 'etcdPasswordFile', 'etcdCa', 'etcdCert', 'etcdKey'];

const ABOUT: Partial<Record<Name, string>> = {
  etcd: 'The etcd in which the machines agree. Default: what the config of this folder says.',
  service: 'Which fleet. Default: what the config of this folder says.'
};

/** The flags by which the commands of a fleet find it. */
export function createFleetFlags(): Option[] {
  const flags = PLACE.map(
    (name) => new Option(`${flagOf(name)} ${OPTIONS[name].value}`, ABOUT[name] ?? OPTIONS[name].about)
  );
  return [...flags, createJsonFlag()];
}

/** Where a fleet is, and who asks. */
export type FleetPlace = Pick<ReturnType<typeof readEach>, Name> & { readonly service: string };

/** @throws HANDOVER_ERR_OPTION_* */
export async function readFleetPlace(flags: Readonly<Record<string, unknown>>): Promise<FleetPlace> {
  const said = pick(flags);
  const config = said.etcd === undefined || said.service === undefined ? await readConfig() : {};
  const options = readEach({ ...config, ...said });
  const { etcd, service } = options;
  if (etcd.length === 0) throw missing('--etcd', 'the etcd in which the machines agree', '--etcd http://10.0.0.5:2379');
  if (service === null) throw missing('--service', 'the service whose machines are meant', '--service shop');
  return { ...options, service };
}

async function readConfig(): Promise<UserOptions> {
  const layers = await readLayers(logicalCwd());
  return mergeLayers(layers.map(({ source, values }) => ({ source, values: { ...pick(values) } })));
}

function pick(values: Readonly<Record<string, unknown>>): UserOptions {
  const known = Object.entries(values).filter(([name]) => (PLACE as readonly string[]).includes(name));
  return Object.fromEntries(known);
}

function missing(flag: string, about: string, example: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `"${flag}" is missing`,
    why: `nothing says ${about}: no flag, and no config in this folder`,
    fix: `Write it, such as \`${example}\``
  });
}
