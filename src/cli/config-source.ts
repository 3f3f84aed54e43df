import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../options/fields.ts';
import type { RunSource } from '../supervise.ts';
import type { Given } from './commands/command.ts';
import { type Config, FILES, mergeLayers, readLayers } from './config.ts';
import { mergeRun } from './merge-run.ts';

/** The config of a folder together with the command line of `run`, to be read at the start and at each reload. */
export function createConfigSource(given: Given, folder: string): RunSource {
  let command = given;
  return {
    read: async () => {
      const files = lookAtFiles(folder);
      const config = mergeLayers(await readLayers(folder));
      const { options, set } = mergeRun(command, config, folder);
      // A label on the command line names the first version alone.
      const { label: _label, ...lasting } = command.flags;
      const flags = namesOf(command);
      command = { ...command, flags: lasting };
      return { options, set, env: config.env ?? {}, written: listWritten(config), flags, files };
    },
    look: () => lookAtFiles(folder)
  };
}

/** What a config says, by name; each variable of its `env` has a name of its own. */
function listWritten({ env = {}, ...others }: Config): ReadonlyMap<string, unknown> {
  const variables = Object.entries(env).map(([name, value]) => [`env ${name}`, value] as const);
  return new Map<string, unknown>([...Object.entries(others), ...variables]);
}

function namesOf({ flags, entry, app }: Given): ReadonlySet<string> {
  const names = Object.keys(flags).map((name) => (name === 'nodeOption' ? 'nodeOptions' : name));
  return new Set([...names, ...(entry === null ? [] : ['entry']), ...(app === null ? [] : ['args'])]);
}

/** What the files of a config say, without running them; of package.json only the part that is a config. */
function lookAtFiles(folder: string): ReadonlyMap<string, string> {
  const manifest = readText(join(folder, 'package.json'));
  const own = manifest === null ? null : pickConfig(manifest);
  const file = FILES.find((name) => existsSync(join(folder, name)));
  const text = file === undefined ? null : readText(join(folder, file));
  return new Map([
    ...(own === null ? [] : [['package.json', own] as const]),
    ...(file === undefined || text === null ? [] : [[file, text] as const])
  ]);
}

function pickConfig(manifest: string): string | null {
  try {
    const { handover } = JSON.parse(manifest) as { handover?: unknown };
    return isObject(handover) ? JSON.stringify(handover) : null;
  } catch {
    return manifest; // being written, or broken: not what was read in any case
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not there, or not for this user: it says nothing
  }
}
