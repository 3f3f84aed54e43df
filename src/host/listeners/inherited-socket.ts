import { readFileSync, readlinkSync } from 'node:fs';

/** What the system shows of a descriptor. */
export type Seen =
  | { readonly kind: 'absent' }
  /** No socket, or one that nobody can connect to. */
  | { readonly kind: 'other'; readonly why: string }
  /** A socket that does not listen, such as a connection. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening' }
  /** A unix socket that listens; the path of an abstract one begins with `\0`. */
  | { readonly kind: 'path'; readonly path: string }
  /** A socket of another network namespace (`PrivateNetwork=`), or of a kind that has no table. */
  | { readonly kind: 'unknown' };

/** How the tables write what they show: a TCP socket that listens, a unix socket that does, a stream. */
const TCP_LISTENS = '0A';
const UNIX_LISTENS = 0x10000;
const STREAM = '0001';

/** O_NONBLOCK of Linux, on every processor that Node runs on. */
const NONBLOCK = 0o4000;

/** A line of the table of unix sockets: flags, type, inode, path. */
const UNIX_LINE = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +(\d+)(?: (.*))?$/;

/**
 * Reads of what kind an inherited descriptor is, and the path of a unix socket, which Node does not tell.
 *
 * @param root the folder that the system shows this process in
 * @source proc_pid_net(5): the tables `tcp`, `udp` and `unix` have a line for each socket, known by its inode
 */
export function readSocket(fd: number, root = '/proc/self'): Seen {
  const link = readLink(`${root}/fd/${fd}`);
  if (link === null) return { kind: 'absent' };
  const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
  if (inode === undefined) return { kind: 'other', why: `is no socket (${link})` };
  const find = (table: string) => readTable(`${root}/net/${table}`).find((columns) => columns[9] === inode);
  const tcp = find('tcp') ?? find('tcp6');
  if (tcp) return { kind: tcp[3] === TCP_LISTENS ? 'listening' : 'idle' };
  if (find('udp') ?? find('udp6')) return { kind: 'other', why: 'is a socket of datagrams (UDP)' };
  return readUnix(inode, readLines(`${root}/net/unix`));
}

/**
 * Whether an inherited descriptor is a blocking one. False where it is not open, or the system does not show it.
 *
 * @source proc_pid_fdinfo(5)
 */
export function isBlocking(fd: number): boolean {
  const flags = readLines(`/proc/self/fdinfo/${fd}`).find((line) => line.startsWith('flags:'));
  return flags !== undefined && (Number.parseInt(flags.slice('flags:'.length), 8) & NONBLOCK) === 0;
}

function readUnix(inode: string, lines: readonly string[]): Seen {
  const [, flags = '', type, , path = ''] =
    lines.map((one) => UNIX_LINE.exec(one)).find((one) => one?.[3] === inode) ?? [];
  if (type === undefined) return { kind: 'unknown' };
  if (type !== STREAM) return { kind: 'other', why: 'is a unix socket without a stream' };
  if ((Number.parseInt(flags, 16) & UNIX_LISTENS) === 0) return { kind: 'idle' };
  return { kind: 'path', path: path.replace(/^@/, '\0') };
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // ENOENT: there is no such descriptor
  }
}

function readTable(path: string): (readonly string[])[] {
  return readLines(path).map((line) => line.trim().split(/\s+/));
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return []; // no such table in this kernel, or hidden: the socket counts as unknown
  }
}
