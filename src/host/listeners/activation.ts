import { HandoverError } from '../../errors.ts';
import { type Handle, openDescriptor } from '../../internals/net.ts';
import type { Address } from '../../protocol/messages.ts';
import { isBlocking, readSocket } from './inherited-socket.ts';
import { readAddress } from './places.ts';

/** A listening socket that this process was started with: socket activation, as systemd does it. */
export interface Passed {
  readonly address: Address;
  readonly handle: Handle;
}

/** Where they begin. */
const FIRST_FD = 3;

/**
 * Those that were opened, by their descriptor. They stay open as long as the process lives, whatever service in it ends: a
 * descriptor that is closed cannot be had again, and its number may be that of another file a moment later.
 */
const opened = new Map<number, Passed>();

/**
 * Takes the sockets that systemd passes to this process: those of a name (`FileDescriptorName=` of the socket unit, else the
 * name of the unit), or all of them. The same again for whoever asks again.
 *
 * @throws HANDOVER_ERR_LISTEN_SYSTEMD
 * @source sd_listen_fds_with_names(3)
 */
export function takePassed(
  name: string | null,
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid
): readonly Passed[] {
  const wanted = name === null ? 'systemd' : `systemd:${name}`;
  const refuse = (why: string, fix: string) =>
    new HandoverError('HANDOVER_ERR_LISTEN_SYSTEMD', { what: `Cannot listen on ${wanted}`, why, fix });
  const count = Number(env.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1) {
    const fix = 'Start it by a service that has a socket unit, or give an address to bind';
    throw refuse('systemd passed no socket to this process (LISTEN_FDS is not set)', fix);
  }
  if (env.LISTEN_PID !== String(pid)) {
    const why = `the sockets were passed to process ${env.LISTEN_PID ?? 'unknown'} (LISTEN_PID), and this is process ${pid}`;
    throw refuse(why, 'Let ExecStart= start handover itself, not through npx, npm or a shell without `exec`');
  }
  const given = env.LISTEN_FDNAMES?.split(':') ?? [];
  const names = Array.from({ length: count }, (_, at) => given[at] ?? 'unknown');
  const fds = [...names.keys()].filter((at) => name === null || names[at] === name).map((at) => FIRST_FD + at);
  if (fds.length === 0) {
    const why = `systemd passed ${[...new Set(names)].map((one) => JSON.stringify(one)).join(', ')}, and none of that name`;
    throw refuse(why, `Name one of those, or set FileDescriptorName=${name} in the socket unit`);
  }
  return fds.map((fd) => {
    const passed = opened.get(fd) ?? open(fd, (why, fix) => refuse(`its descriptor ${fd} ${why}`, fix));
    opened.set(fd, passed);
    return passed;
  });
}

/**
 * What a successor of this process has to inherit from descriptor 3 on, to be passed the same sockets: those that no version uses
 * at the moment, too.
 */
export function passedDescriptors(): readonly (number | 'ignore')[] {
  return listPassed().map((fd) => (readSocket(fd).kind === 'absent' ? 'ignore' : fd));
}

/** Whether a socket that systemd passed, and nobody has opened here, is a blocking one. */
export function arePassedBlocking(): boolean {
  return listPassed().some(isBlocking);
}

function listPassed(): readonly number[] {
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  const count = Number(LISTEN_FDS);
  if (LISTEN_PID !== String(process.pid) || !Number.isInteger(count) || count < 1) return [];
  return Array.from({ length: count }, (_, at) => FIRST_FD + at);
}

/** Looks before it opens: what is opened cannot be given back. */
function open(fd: number, refuse: (why: string, fix: string) => HandoverError): Passed {
  const seen = readSocket(fd);
  if (seen.kind === 'absent') throw refuse('is not open', 'Let nothing between systemd and handover close it');
  if (seen.kind === 'other') throw refuse(seen.why, 'Only ListenStream= of a socket unit can be listened on');
  if (seen.kind === 'idle') throw refuse('does not listen', 'Set Accept=no in the socket unit');
  const handle = openDescriptor(fd);
  if (typeof handle === 'number')
    throw refuse('is no stream over TCP or on a unix socket', 'Only ListenStream= of a socket unit can be listened on');
  if (handle.getsockname === undefined) {
    if (seen.kind === 'path') return { handle, address: seen.path };
    throw refuse(
      'is on a path that cannot be read',
      'Let the service read /proc/self/net/unix of the socket, or use a port'
    );
  }
  const address = readAddress(handle, { address: '::', port: 0, ipv6Only: false });
  if (typeof address === 'number')
    throw refuse('has no address', 'Only ListenStream= of a socket unit can be listened on');
  return { handle, address };
}
