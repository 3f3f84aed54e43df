import { isWithoutUnit } from './durations.ts';
import type { OptionName } from './options.ts';

const FILE = /\.(?:[cm]?[jt]s|json)$/;
const SCHEME = /^\w+:\/\//;

/** Services whose names people write for their ports. */
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** More are refused. */
const MOST_WORKERS = 128;

/** What was probably meant by a value that cannot be used, by option: an example to write instead. */
const HINTS: Partial<Record<OptionName, (given: string) => string | undefined>> = {
  listen: (given) => {
    if (SCHEME.test(given))
      return `Write it without "${SCHEME.exec(given)?.[0]}" and without a path, such as "localhost:3000"`;
    if (/^\d+$/.test(given)) return 'A port is at most 65535';
    if (Object.hasOwn(PORTS, given)) return `Write the number of its port: "${PORTS[given]}"`;
    const [, outside, inside] = /^(\d+):(\d+)$/.exec(given) ?? [];
    if (inside !== undefined)
      return `For port ${outside}, to the server that asks for ${inside}, write "${outside}=${inside}"`;
    if (/^:\d+$/.test(given)) return `For every address of this machine write "${given.slice(1)}"`;
    if (given.startsWith('/')) return `For a unix socket write "unix:${given}"`;
    if (/^[\w.-]+$/.test(given) && !FILE.test(given) && /[.]|localhost/.test(given))
      return `Add a port: "${given}:3000"`;
    return undefined;
  },
  workers: (given) => (Number(given) > MOST_WORKERS ? `If it is a port: \`--listen ${given}\`` : undefined),
  readyTimeout: readUnitHint,
  drainTimeout: readUnitHint,
  drainBefore: readUnitHint,
  bake: readUnitHint,
  keepWarm: readUnitHint,
  handoverBudget: readUnitHint,
  orphanTimeout: readUnitHint,
  hangTimeout: readUnitHint,
  restarts: (given) => {
    const [max, within = '1m'] = given.split('/');
    const unit = isWithoutUnit(within) ? 's' : '';
    return /^\d+$/.test(max ?? '') ? `Write "${max}/${within}${unit}"` : undefined;
  },
  check: readPathHint,
  warmUp: readPathHint,
  maxMemory: (given) => (/^\d+$/.test(given) && Number(given) >= 16 ? `Add a unit: "${given}MB"` : undefined),
  socket: (given) => (given.length > 90 ? 'Choose a shorter path, such as one in /run' : undefined)
};

/** A hint for a value that cannot be used, or undefined. */
export function hintFor(name: OptionName, value: unknown): string | undefined {
  const [given] = Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [value];
  if (typeof given !== 'string') return undefined;
  const hint = HINTS[name]?.(given);
  if (hint !== undefined) return hint;
  // Two arguments that changed places: the entry stands where the value should.
  return FILE.test(given) ? `It looks like a file: the value of the option comes first, then ${given}` : undefined;
}

function readUnitHint(given: string): string | undefined {
  const number = given.trim();
  return isWithoutUnit(number) ? `Add a unit: "${number}s", or "${number}ms" if that is meant` : undefined;
}

function readPathHint(given: string): string | undefined {
  if (!SCHEME.test(given)) return given.startsWith('/') ? undefined : `Begin it with a slash: "/${given}"`;
  return URL.canParse(given) ? `Only the path counts: "${new URL(given).pathname}"` : undefined;
}
