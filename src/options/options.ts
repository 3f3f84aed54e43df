import type { RestartLimit } from '../core/state/state.ts';
import { ADMIN_OPTIONS } from './admin-options.ts';
import { BAKE_DEFAULTS, type Bake, readBake } from './bake.ts';
import { BALANCER_OPTIONS } from './balancer-options.ts';
import { CANARY_DEFAULTS, CANARY_WANTS, type CanaryOptions, readCanary } from './canary.ts';
import { type Check, type CheckFunction, readCheck, readWarmUp, type WarmUp } from './checks.ts';
import { CONNECTION_OPTIONS } from './connection-options.ts';
import { readDuration } from './durations.ts';
import { FLEET_OPTIONS } from './fleet-options.ts';
import { LOG_OPTIONS } from './log-options.ts';
import * as readers from './readers.ts';
import { RIGHTS_OPTIONS } from './rights-options.ts';
import { ROUTING_OPTIONS } from './routing-options.ts';
import { DURATION, duration, spec } from './spec.ts';
import type { BeforeCutover, StrategyName, Surge } from './strategies.ts';
import { readBeforeCutover, readSurge, STRATEGIES } from './strategies.ts';

const SURGE = 'an integer from 0 to 128, or a percentage such as "25%"';

/** Every option of `supervise()`, `handover run` and the config: one line each, and everything else is made of it. */
export const OPTIONS = {
  listen: spec<readonly readers.ListenAddress[]>({
    fallback: [],
    value: '<[host:]port[=port] | unix:path[=port] | systemd[:name][=port]>',
    wants:
      'a port, "host:port", "[ipv6]:port", "unix:/path", "systemd" or "systemd:name", and "=3000" after it for the port that the app asks for',
    about:
      "Address to own. It goes to the server that asks for its port (PORT is set to the first); `80=3000` gives 80 to the server that asks for 3000. Where none asks, an app's only server gets it; addresses left over go to the server of the first. `systemd`: the sockets that a socket unit passes, all or those of one name. Without it, the app's own listen() decides.",
    repeatable: true,
    read: readers.readList(readers.readAddress)
  }),
  listenMode: spec<number | null>({
    fallback: null,
    written: '666',
    value: '<mode>',
    wants: 'a text of three octal digits, such as "660"',
    about: 'Who may connect to the unix sockets of --listen: their mode. The folder they are in counts too.',
    read: readers.readMode
  }),
  listenGroup: spec<string | null>({
    fallback: null,
    value: '<group>',
    wants: 'the name or the number of a group',
    about: 'Group of the unix sockets of --listen, such as that of the proxy in front.',
    read: readers.readName
  }),
  ...RIGHTS_OPTIONS,
  workers: spec<number>({
    fallback: 1,
    value: '<n | max>',
    wants: 'an integer from 1 to 128, or "max"',
    about: 'Processes of each generation; `max` is one for each core.',
    read: readers.readWorkers
  }),
  name: spec<string | null>({
    fallback: null,
    value: '<app>',
    wants: 'a text of 1 to 100 characters without control characters',
    about: "Name of the app. Default: the nearest package.json's name, else the entry's file name.",
    read: readers.readName
  }),
  socket: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path of at most 100 bytes',
    about: 'Path of the control socket. Default: one for each name, in a directory of this user.',
    read: readers.readText(100)
  }),
  ready: spec<'listening' | 'signal'>({
    fallback: 'listening',
    value: '<listening | signal>',
    wants: '"listening" or "signal"',
    about:
      "When a worker can serve: its servers called listen(), or the app called ready() (PM2's process.send('ready') counts).",
    read: readers.readOneOf('listening', 'signal')
  }),
  check: spec<readonly (Check | CheckFunction)[]>({
    fallback: [],
    value: '</path | /path=status>',
    wants:
      'a path such as "/health" or "/health=200", or in code a function, or { path, method, headers, body, expect: { status, headers, body }, attempts, interval, timeout, whileBaking }',
    about:
      'Private request to every worker of a candidate before it may accept, made again until it holds or readyTimeout is over; then the candidate is given up. Without a status, any of 200-399 will do.',
    repeatable: true,
    read: readers.readList(readCheck)
  }),
  warmUp: spec<WarmUp | null>({
    fallback: null,
    value: '</path | live>',
    wants: 'a path, "live", or in code { path | paths, requests, concurrency, for }',
    about:
      'Private requests to every worker of a candidate after its checks, so that the first users do not meet cold code: 200 of them, 4 at a time, for 5 s at the most. `live`: the GET and HEAD requests that the active generation answered in the last minute, until the candidate is about as fast, for 2 s at the most.',
    read: readWarmUp
  }),
  strategy: spec<StrategyName>({
    fallback: 'blue-green',
    value: `<${STRATEGIES.join(' | ')}>`,
    wants: 'one of "blue-green", "rolling", "in-place" and "exclusive"',
    about:
      'How the next generation takes over: all at once beside the active one; worker by worker; each worker in the place of its predecessor, without room for both; or never two versions serving at the same time.',
    read: readers.readOneOf(...STRATEGIES)
  }),
  maxSurge: spec<Surge>({
    fallback: 1,
    value: '<n | percent>',
    wants: SURGE,
    about: 'Under `rolling`: how many workers there may be beyond `workers`. A percentage is rounded up.',
    read: readSurge
  }),
  maxUnavailable: spec<Surge>({
    fallback: 0,
    value: '<n | percent>',
    wants: SURGE,
    about: 'Under `rolling`: how many of `workers` may be missing meanwhile. A percentage is rounded down.',
    read: readSurge
  }),
  beforeCutover: spec<BeforeCutover | null>({
    fallback: null,
    value: '<command>',
    wants: 'a command for the shell, or in code a function or { run, timeout }',
    about:
      'Under `exclusive`: what runs when the old version is quiet and before the new one serves, such as a migration, for 60 s at the most. It gets HANDOVER_FROM and HANDOVER_TO, and if it fails the old version goes on.',
    read: readBeforeCutover
  }),
  readyTimeout: spec<number>({
    fallback: 30_000,
    value: '<30s>',
    wants: `${DURATION}, above 0`,
    about: 'How long a candidate may take to become ready, its checks included. A late one is given up.',
    read: readDuration(1)
  }),
  drainTimeout: duration(
    30_000,
    '<30s>',
    'How long a retiring worker may take over what is still in flight, before SIGTERM and, 5 s later, SIGKILL.'
  ),
  bake: spec<Bake>({
    fallback: BAKE_DEFAULTS,
    written: '30s',
    value: '<30s | 0>',
    wants: `${DURATION}, 0, or in code { for, and limits by the name of their signal }`,
    about:
      'How long a new generation is compared, after the cutover, with what the one before it did. `0`: not at all.',
    read: readBake
  }),
  canary: spec<CanaryOptions>({
    fallback: CANARY_DEFAULTS,
    written: 'none',
    value: '<5% | 1%,10%,50% | header:x-beta=1>',
    wants: CANARY_WANTS,
    about:
      'What part of the requests a new version answers first, beside the active one, and then: under `blue-green`. Each step is judged, several go on by themselves, one alone waits for `handover canary`, `promote` or `abort`.',
    read: readCanary
  }),
  rollback: spec<'auto' | 'manual'>({
    fallback: 'auto',
    value: '<auto | manual>',
    wants: '"auto" or "manual"',
    about: 'What follows when a signal reaches its limit while the new generation bakes: a rollback, or only a word.',
    read: readers.readOneOf('auto', 'manual')
  }),
  keepWarm: spec<number>({
    fallback: 600_000,
    written: '10m',
    value: '<10m | 0 | forever>',
    wants: `${DURATION}, 0 or "forever"`,
    about: 'How long the previous generation stays warm for a rollback. `forever` is until the next handover.',
    read: (given) => (given === 'forever' || given === Infinity ? Infinity : readDuration(0)(given))
  }),
  ...CONNECTION_OPTIONS,
  ...ROUTING_OPTIONS,
  ...ADMIN_OPTIONS,
  ...FLEET_OPTIONS,
  ...BALANCER_OPTIONS,
  orphanTimeout: duration(
    30_000,
    '<30s>',
    'How long workers of a supervisor that was killed serve on and wait for the next one, before they finish and exit.'
  ),
  hangTimeout: duration(
    15_000,
    '<15s | 0>',
    'How long the event loop of a worker may be silent before the worker is replaced. `0`: for ever.'
  ),
  maxMemory: spec<number | null>({
    fallback: null,
    value: '<512MB>',
    wants: 'a size such as "512MB" or "2GB", or a number of bytes, and at least 16MB',
    about: 'Resident memory of a worker above which it is replaced: its replacement starts first.',
    read: readers.readSize
  }),
  standbyMemory: spec<number>({
    fallback: 0.1,
    written: '10%',
    value: '<10% | 0>',
    wants: 'a share such as "10%" or 0.1',
    about:
      "Share of the machine's memory, or of the container's, that must be available to keep a standby. `0`: it is not watched.",
    read: readers.readShare
  }),
  restarts: spec<RestartLimit>({
    fallback: { max: 5, windowMs: 60_000 },
    written: '5/1m',
    value: '<5/1m>',
    wants: 'a number and a duration such as "5/1m", or in code { max, within }',
    about: 'Lost workers that are replaced within seconds; where more are lost in that time, tries come every 15 s.',
    read: readers.readRestarts
  }),
  backlog: spec<number>({
    fallback: 4096,
    value: '<n>',
    wants: 'an integer from 1 to 65535',
    about: "Connections that may wait in the kernel's queue (the kernel caps it at net.core.somaxconn).",
    read: readers.readInteger(1, 65_535)
  }),
  stateFile: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path of at most 4095 bytes',
    about:
      'Where the history is kept, for the next supervisor. Default: beside the control socket, which in most places means until the machine is started again.',
    read: readers.readText(4_095)
  }),
  ...LOG_OPTIONS
} as const;

export type OptionName = keyof typeof OPTIONS;
/** Options with every value checked and every default filled in. Durations are milliseconds. */
export type Options = { readonly [N in OptionName]: (typeof OPTIONS)[N]['fallback'] };
