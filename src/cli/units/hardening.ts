import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ServicePlan } from './service-unit.ts';
import { writePath } from './unit-text.ts';

/** Where the files of users are: `ProtectHome=yes` hides them, and with them an app or a Node that is there. */
const HOMES = ['/home', '/root', '/run/user'];
const SHARED_TEMP = ['/tmp', '/var/tmp'];

type Guarded = Pick<ServicePlan, 'unit' | 'folder' | 'writable' | 'handover' | 'options' | 'user' | 'bindsLowPort'>;

/**
 * What a service is not allowed: all that neither Node nor handover needs.
 *
 * @source systemd.exec(5); `systemd-analyze security` gives it 2.1
 */
export function hardening(plan: Guarded): string[] {
  const jit = '# MemoryDenyWriteExecute= is not possible: V8 compiles at run time, into memory that it then executes.';
  const everywhere = [
    'NoNewPrivileges=yes',
    jit,
    'LockPersonality=yes',
    '# AF_NETLINK is how Node lists the addresses of the machine.',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    '# What is refused fails, instead of ending the process: Node tries whether there is an io_uring.',
    'SystemCallErrorNumber=EPERM'
  ];
  if (plan.user.kind === 'own')
    return ['# What the manager of a user may take from a service without rights of its own.', ...everywhere];
  return [...writing(plan), ...everywhere, ...capabilities(plan), ...machine(plan)];
}

/** The files of the machine are read-only but for what is named. */
function writing({ unit, folder, writable, options, handover }: Guarded): string[] {
  const sockets = socketFolders(options.listen).filter((path) => path !== `/run/${unit}`);
  const temp = sockets.filter((path) => SHARED_TEMP.some((one) => isWithin(path, one)));
  const inTemp = [folder, ...handover].filter((path) => SHARED_TEMP.some((one) => isWithin(real(path), one)));
  const homes = [folder, ...handover].filter((path) => HOMES.some((home) => isWithin(real(path), home)));
  const paths = [...new Set([...writable, ...sockets])];
  return [
    'ProtectSystem=strict',
    ...(paths.length === 0
      ? []
      : [
          '# Where it may write beside that. An app that writes nothing there can do without its own folder.',
          `ReadWritePaths=${paths.map((path) => writePath(`-${path}`)).join(' ')}`
        ]),
    ...(homes.length === 0 ? ['ProtectHome=yes'] : ['# Not `yes`: what it runs is there.', 'ProtectHome=read-only']),
    ...(temp.length + inTemp.length === 0
      ? ['PrivateTmp=yes']
      : [`# PrivateTmp= is not possible: ${temp[0] ?? inTemp[0]} is in the shared one.`])
  ];
}

function capabilities({ user, bindsLowPort, options }: Guarded): string[] {
  const bind = bindsLowPort ? ['CAP_NET_BIND_SERVICE'] : [];
  const root = isRoot(user);
  const all = [...bind, ...(root ? ROOT_CAPABILITIES : []), ...(root && runsWorkersAs(options) ? TO_GIVE_UP_ROOT : [])];
  return [
    `CapabilityBoundingSet=${all.join(' ')}`,
    ...(bindsLowPort && !root ? ['# For a port below 1024.', 'AmbientCapabilities=CAP_NET_BIND_SERVICE'] : [])
  ];
}

/** To read the files of others, and to give them away. Who is not root never could. */
const ROOT_CAPABILITIES = ['CAP_DAC_OVERRIDE', 'CAP_CHOWN'];
/** To start a worker as somebody else, and to end it. */
const TO_GIVE_UP_ROOT = ['CAP_SETUID', 'CAP_SETGID', 'CAP_KILL'];

function isRoot(user: Guarded['user']): boolean {
  return user.kind === 'named' && (user.name === 'root' || user.name === '0');
}

/** Whether the workers are to have another user than the supervisor, which then has to be root. */
export function runsWorkersAs(options: object): boolean {
  const { user } = options as { readonly user?: unknown };
  return user !== undefined && user !== null;
}

function machine({ options }: Guarded): string[] {
  return [
    'PrivateDevices=yes',
    'PrivateMounts=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    ...(runsWorkersAs(options) ? [] : ['ProtectProc=invisible']),
    'RemoveIPC=yes'
  ];
}

/** The folders of the unix sockets that it listens on. */
function socketFolders(listen: ServicePlan['options']['listen']): string[] {
  const folders = listen.flatMap((one) => ('path' in one && !one.path.startsWith('@') ? [dirname(one.path)] : []));
  return [...new Set(folders)].filter((path) => path.startsWith('/'));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there yet: its name is all that is known
  }
}
