import type { UserBake } from './bake.ts';
import type { UserCanary } from './canary.ts';
import type { EventFunction } from './event-target.ts';
import type { UserFleetOptions } from './fleet-options.ts';
import type { StrategyName, UserBeforeCutover } from './strategies.ts';
import type { UserCheck, UserWarmUp } from './user-checks.ts';

/**
 * The options that `supervise()`, the flags of `handover run` and the config have in common.
 *
 * A duration is a text such as `"30s"` or `"10m"`, or a number of milliseconds. A value that is not usable is refused with
 * HANDOVER_ERR_OPTION_INVALID, a name that does not exist with HANDOVER_ERR_OPTION_UNKNOWN.
 */
export interface UserOptions extends UserFleetOptions {
  /**
   * Addresses to own: a port, `"host:port"`, `"[ipv6]:port"` or `"unix:/path"`, or a list of them. Default: what the app
   * gives to its own `listen()`. `"systemd"` is every socket that systemd passes, `"systemd:web"` each of that name.
   *
   * Each goes to the server that asks for it; `PORT` is set to the first. `"80=3000"` goes to the server that asks for 3000.
   * Where none asks, an app's only server gets it; addresses left over go to the server of the first.
   *
   * @example listen: [80, 'unix:/run/shop.sock']
   */
  listen?: string | number | readonly (string | number)[];
  /** Mode of the unix sockets of `listen`, as octal digits such as `"660"`. Default: `"666"`; the folder they are in counts too. */
  listenMode?: string;
  /** Group of the unix sockets of `listen`, by name or number, such as that of the proxy in front. Default: this process's. */
  listenGroup?: string;
  /**
   * User that workers run as from their start, by name or number, where root supervises: with its groups, its home, and no way
   * to gain rights. Default: that of the supervisor.
   */
  user?: string;
  /** Group of the workers, by name or number. Default: the primary group of their user. */
  group?: string;
  /**
   * User that the supervisor itself becomes, for good, as soon as the ports of `listen` are bound, by name or number; workers
   * run as it too. Default: it stays who it is.
   */
  supervisorUser?: string;
  /** Processes of each generation: 1 to 128, or `"max"` for one per core. Default: 1. */
  workers?: number | 'max';
  /** Name of the app, 1 to 100 characters. Default: the name in the nearest package.json, else the entry's file name. */
  name?: string;
  /** Path of the control socket, at most 100 bytes. Default: one for each name, in a directory of this user. */
  socket?: string;
  /**
   * When a worker counts as ready: `"listening"` once its servers called `listen()`, `"signal"` once the app called `ready()`
   * of `handover/worker` or `process.send('ready')`. Default: `"listening"`.
   */
  ready?: 'listening' | 'signal';
  /**
   * Private requests to every worker of a candidate before it may accept public connections: a path, a path with the
   * expected status, an object, a function, or a list of them. One that fails is asked again until `readyTimeout` is over, and
   * then the candidate is given up. Default: none.
   *
   * @example check: ['/health', { path: '/login', expect: { status: [200, 302] } }]
   */
  check?: UserCheck | readonly UserCheck[];
  /**
   * Private requests to every worker of a candidate after its checks, so that the first users do not meet cold code: a path
   * or an object. Their answers are not judged.
   *
   * `"live"`: what the active generation was asked for in the last minute and answered with 2xx, GET and HEAD without a body,
   * a cookie or an authorization, at most 20 of them, until the candidate's p99 is within twice the active one's, or for 2 s.
   * An app that changes something at a GET would do so. Default: none.
   *
   * @example warmUp: { paths: ['/', '/search?q=a'], requests: 500 }
   */
  warmUp?: UserWarmUp;
  /**
   * How the next generation takes over. Default: `"blue-green"`.
   *
   * - `"blue-green"`: all new workers start beside the old ones, then one cutover.
   * - `"rolling"`: worker by worker, a new one is ready before an old one goes.
   * - `"in-place"`: an old worker exits before its successor starts, so that two versions never need room at once.
   * - `"exclusive"`: two versions never serve at the same time; requests wait meanwhile.
   */
  strategy?: StrategyName;
  /**
   * Under `rolling`: how many workers there may be beyond `workers`, as a number from 0 to 128 or a percentage such as
   * `"25%"`, rounded up. Default: 1. It and `maxUnavailable` cannot both be 0.
   */
  maxSurge?: number | string;
  /**
   * Under `rolling`: how many of `workers` may be missing meanwhile, as a number from 0 to 128 or a percentage such as
   * `"25%"`, rounded down. Default: 0.
   */
  maxUnavailable?: number | string;
  /**
   * Under `exclusive`: what runs when the old version is quiet and before the new one serves, such as a migration. A shell
   * command, a function, or an object with a timeout (default 60 s). If it fails, the old version serves again. It does not
   * run in a rollback. Default: none.
   *
   * @example beforeCutover: { run: 'node migrate.js', timeout: '5m' }
   */
  beforeCutover?: UserBeforeCutover;
  /** How long a candidate may take to become ready, its checks included, before it is given up: a duration above 0. Default: `"30s"`. */
  readyTimeout?: string | number;
  /**
   * How long a retiring worker may take over what is still in flight, before it gets SIGTERM and, 5 s later, SIGKILL: a
   * duration. Default: `"30s"`.
   */
  drainTimeout?: string | number;
  /**
   * How long a new generation is compared, after the cutover, with the one before it: a duration, or an object with limits
   * by the name of their signal. `0`: not at all. Default: `"30s"`.
   *
   * @example bake: { for: '1m', exits: 5, memory: false }
   */
  bake?: UserBake;
  /**
   * What part of the requests a new version answers first, beside the active one: `"5%"`, `"1%,10%,50%"`, conditions such as
   * `"header:x-beta=1"`, or an object. Needs the strategy `"blue-green"`. Each step is judged by what both do meanwhile.
   * Default: none.
   *
   * @example canary: { steps: ['1%', '10%', '50%'], hold: '5m', by: 'cookie:session' }
   */
  canary?: string | number | UserCanary;
  /**
   * By what a client stays with the process that knows it: `"cookie:connect.sid"`, `"header:mcp-session-id"`, `"query:sid"`,
   * `"ip"` or `"ip:x-forwarded-for"`. Over plain HTTP/1.1. Default: none.
   */
  affinity?: string;
  /** What a client may say to be answered by the version of that label, as long as it is warm: `"query:dpl"`, or a list. */
  pin?: string | readonly string[];
  /**
   * Paths such as `"/assets"` under which a GET or HEAD that the active version answers with 404 is asked of the one before.
   */
  oldAssets?: string | readonly string[];
  /**
   * Address for operators and their tools, `"host:port"` or `"unix:/path"`: `/metrics` for Prometheus, `/ready` and `/live`
   * for a load balancer, and a page to look at. Default: none.
   */
  admin?: string;
  /** File with a secret of at least 128 bits, by which orders can be given on the page of `admin`. Default: none; the page only shows. */
  adminTokenFile?: string;
  /**
   * Address, `"host:port"`, on which HAProxy's `agent-check` is told whether to send clients here, and by its weight how many: the share
   * of the workers that accept. Default: none.
   */
  agentCheck?: string;
  /**
   * How long load balancers are told, by `/ready` and the agent check, before a stop, or a reload in place or exclusive, changes
   * anything; the active version serves meanwhile. Choose what they need to look and to let go. Default: 0.
   */
  drainBefore?: string | number;
  /**
   * What happens when a signal reaches its limit during the bake: `"auto"` rolls back, `"manual"` only reports it. Default:
   * `"auto"`.
   */
  rollback?: 'auto' | 'manual';
  /**
   * How long the previous generation is kept warm for a rollback: a duration, `0` for not at all, or `"forever"` for until
   * the next handover. Default: `"10m"`.
   */
  keepWarm?: string | number;
  /**
   * How long a connection that can move may wait to move before its next response says `Connection: close`: a duration.
   * Default: `"2s"`.
   */
  handoverBudget?: string | number;
  /**
   * How long, and at most `handoverBudget`, connections may move to a new version one by one, as fast as it serves them
   * without falling behind: a duration, `0` for all at once. Default: `"2s"`.
   */
  ramp?: string | number;
  /**
   * Over how long WebSockets are closed, and streams without ids ended, one by one, so that their clients come back evenly: a
   * duration. Default: `"30s"`.
   */
  upgradeSpread?: string | number;
  /**
   * What becomes of WebSockets at a handover: closed with 1012 between two messages, or kept by the old version until it is
   * retired. Those of an app that calls `carry()` move. Default: `"close"`.
   */
  websockets?: 'close' | 'keep';
  /**
   * What becomes of server-sent events at a handover: streams with ids move and others stay until their version is retired;
   * or all stay; or all are ended. Default: `"move"`.
   */
  eventStreams?: 'move' | 'keep' | 'end';
  /**
   * How long workers of a supervisor that was killed serve on and wait for the next one, before they finish and exit: a
   * duration. Default: `"30s"`.
   */
  orphanTimeout?: string | number;
  /**
   * How long the event loop of a worker may not answer before the worker is replaced: a duration, `0` for ever. Default:
   * `"15s"`.
   */
  hangTimeout?: string | number;
  /**
   * Resident memory above which a worker is replaced, its replacement starting first: a size such as `"512MB"`, or bytes; at
   * least 16 MB. Default: no limit.
   */
  maxMemory?: string | number;
  /**
   * Share of the machine's (or container's) memory that must be available to keep a standby: `"10%"` or 0.1; `0` switches
   * this off. Default: `"10%"`.
   */
  standbyMemory?: string | number;
  /**
   * How many lost workers are replaced within seconds, and in which time: `"5/1m"` or `{ max, within }`. Beyond that a worker
   * is started every 15 s. Default: `"5/1m"`.
   */
  restarts?: string | { max?: number; within?: string | number };
  /** Connections that may wait in the kernel's queue: 1 to 65535; the kernel caps it at net.core.somaxconn. Default: 4096. */
  backlog?: number;
  /** Path of the file that keeps the history for the next supervisor. Default: beside the control socket. */
  stateFile?: string;
  /** Form of the supervisor's own lines on stderr. Default: `"pretty"` on a terminal, else `"json"`. */
  log?: 'pretty' | 'json';
  /**
   * How much of what was written last is kept in the supervisor's memory, for `handover logs`: a size such as `"1MB"`, or bytes, at
   * most 64 MB; 0 for nothing. Default: `"1MB"`.
   */
  logBuffer?: string | number;
  /**
   * Path of a file to which events and lines of workers are appended, besides stdout and stderr: the workers' as they were written,
   * events as JSON; with `log: "pretty"` each with its time and its worker. Opened anew on SIGUSR1, and where it was moved
   * away. Default: none.
   */
  logFile?: string;
  /** Size above which the log file is moved to `<path>.1`, that to `<path>.2` and so on; 0 for never. Default: `"100MB"`. */
  logSize?: string | number;
  /**
   * Who is told of the events that matter: a command for the shell, which gets each as JSON on its stdin, a URL, which gets it by POST, or
   * a function. Nobody waits for it. Default: nobody.
   *
   * @example onEvent: 'https://hooks.example.org/deploys'
   */
  onEvent?: string | EventFunction;
  /** How many earlier log files are kept: 0 to 1000. Default: 5. */
  logKeep?: number;
}
