import { availableParallelism } from 'node:os';
import { showDuration } from '../../options/durations.ts';
import { NODE_OPTIONS } from '../../options/fields.ts';
import { readSize } from '../../options/readers.ts';
import type { Start as AnyStart } from './find-start.ts';

/** What holds for a program too: how long its end may take, and how much memory it may have. */
export interface Limits {
  readonly drainTimeout?: string;
  readonly maxMemory?: string | number;
}

/** What an app says, each option by its one name. */
export type Given = Readonly<Record<string, unknown>>;

/** Notes what has no counterpart, or does something else here. */
export type AddNote = (option: string, instead: string) => void;

type Start = Extract<AnyStart, { kind: 'node' }>;

/** Makes the options of handover of those of PM2. */
export function readOptionsOf(
  app: Given,
  name: string,
  start: Start,
  limits: Limits,
  environment: Readonly<Record<string, string>>,
  note: AddNote
): Given {
  const { entry, args, node, nodeOptions, envFile } = start;
  const own = typeof app.env_file === 'string' && app.env_file !== '' ? app.env_file : null;
  const usable = NODE_OPTIONS.read(nodeOptions) !== undefined;
  if (!usable)
    note('node_args', 'Node does not take these beside an app: write those it is to have into "nodeOptions"');
  const sourceMaps = app.source_map_support === true ? ['--enable-source-maps'] : [];
  const allOptions = [...(usable ? nodeOptions : []), ...sourceMaps.filter((one) => !nodeOptions.includes(one))];
  return {
    name,
    entry,
    ...(args.length === 0 ? {} : { args }),
    ...readWorkers(app, note),
    ...readPorts(app, environment, note),
    ...(app.wait_ready === true ? { ready: 'signal' } : {}),
    ...readTime('readyTimeout', app, 'listen_timeout', note),
    ...limits,
    ...(node === null ? {} : { node }),
    ...(allOptions.length === 0 ? {} : { nodeOptions: allOptions }),
    ...((own ?? envFile) === null ? {} : { envFile: own ?? envFile })
  };
}

/** `max` and 0 are one for each core, -1 is all but one; in fork mode each had a port of its own. */
function readWorkers({ instances, exec_mode: mode }: Given, note: AddNote): Given {
  const wanted = Number(instances ?? 1);
  if (instances === 'max' || instances === 'auto' || wanted === 0) return { workers: 'max' };
  if (!Number.isInteger(wanted)) {
    note('instances', 'it is no number: one worker; say how many with "workers"');
    return {};
  }
  const workers = Math.min(128, Math.max(1, wanted < 0 ? availableParallelism() + wanted : wanted));
  if (wanted < 0)
    note('instances', `that many fewer than there are cores: ${workers} on this machine, where it was imported`);
  if (workers > 1 && /^fork/.test(String(mode ?? '')))
    note('exec_mode', 'in fork mode each process has a port of its own; here all workers share the address');
  return workers === 1 ? {} : { workers };
}

/** Under `increment_var` each process had a port of its own: all of them are answered, by every worker. */
function readPorts(
  { increment_var: name, instances }: Given,
  env: Readonly<Record<string, string>>,
  note: AddNote
): Given {
  const first = Number(env[String(name)]);
  const count = instances === 'max' ? availableParallelism() : Number(instances ?? 1);
  if (typeof name !== 'string' || !/port/i.test(name) || !Number.isInteger(first) || !(count > 1 && count <= 128)) {
    if (typeof name === 'string')
      note('increment_var', 'all workers have the same environment: nothing counts up in it');
    return {};
  }
  const last = first + count - 1;
  note(
    'increment_var',
    `ports ${first} to ${last} are all answered, by every worker and on every interface: write 127.0.0.1:${first} and so on if only a proxy is to come. One is enough`
  );
  return { listen: Array.from({ length: count }, (_, at) => first + at) };
}

export function readMemory(given: unknown, note: AddNote): string | number | null {
  if (given === undefined || given === null) return null;
  const [, number, unit = ''] = /^(\d+)([GMK])?B?$/i.exec(String(given)) ?? [];
  const size = number === undefined ? null : unit === '' ? Number(number) : `${number}${unit.toUpperCase()}B`;
  if (size !== null && readSize(size) !== undefined) return size;
  note('max_memory_restart', 'that is no limit here: at least 16MB, such as "512MB"');
  return null;
}

/** PM2 has its times in milliseconds, as numbers. */
export function readTime(name: string, app: Given, option: string, note: AddNote): Given {
  const given = app[option];
  if (given === undefined || given === null) return {};
  const ms = Number(given);
  if (Number.isFinite(ms) && ms > 0) return { [name]: showDuration(Math.round(ms)) };
  if (ms !== 0) note(option, `it is no number of milliseconds: say it with "${name}", such as "10s"`);
  return {};
}
