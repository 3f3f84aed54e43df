import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readStatFields } from '../proc-stat.ts';

/** A process as the system knows it. */
export interface Seen {
  readonly pid: number;
  /** Its command line. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** One letter, as `ps` shows it: R runs, S and D wait, T is stopped. */
  readonly state: string;
  /** The addresses it listens on: ports of all addresses as `:3000`. */
  readonly listens: readonly string[];
  /** Where connections of it are on their way to. */
  readonly connecting: readonly string[];
}

/** A process and whatever it has started that is still there. */
export interface Family {
  /** Null for one that has exited. */
  readonly self: Seen | null;
  readonly children: readonly Seen[];
}

const LISTEN = '0A';
const SYN_SENT = '02';
/** The flag of a unix socket that accepts (`__SO_ACCEPTCON`). */
const ACCEPTS = '00010000';

/**
 * Looks at a worker from outside: what it and the processes of its group do. It needs no answer of theirs.
 *
 * @returns null where the system does not say (no `/proc`)
 */
export function observe(pid: number): Family | null {
  try {
    const all = readProcesses();
    const members = new Set([pid]);
    // Children come after their parents in most cases only: as often as anybody new is found.
    for (let size = 0; size !== members.size; ) {
      size = members.size;
      for (const one of all) if (one.group === pid || members.has(one.parent)) members.add(one.pid);
    }
    const family = all.filter(({ pid, state }) => members.has(pid) && state !== 'Z').map(see);
    return { self: family.find((one) => one.pid === pid) ?? null, children: family.filter((one) => one.pid !== pid) };
  } catch {
    return null; // another system than Linux, or one that hides its processes
  }
}

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
}

function readProcesses(): Entry[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = read(`/proc/${name}/stat`);
    const [state = '', parent, group] = readStatFields(stat);
    return [{ pid: Number(name), parent: Number(parent), group: Number(group), state }];
  });
}

function see({ pid, state }: Entry): Seen {
  const argv = read(`/proc/${pid}/cmdline`)
    .split('\0')
    .filter((word) => word !== '');
  return { pid, argv, state, cwd: link(`/proc/${pid}/cwd`), ...readSockets(pid) };
}

function readSockets(pid: number): Pick<Seen, 'listens' | 'connecting'> {
  // A listener of the service, of which each worker keeps a copy, is not its own.
  const ours = socketsOf(process.pid);
  const own = new Set([...socketsOf(pid)].filter((inode) => !ours.has(inode)));
  const tcp = ['tcp', 'tcp6'].flatMap((table) =>
    rows(`/proc/${pid}/net/${table}`)
      .map(([, local = '', remote = '', state = '', , , , , , inode = '']) => ({ local, remote, state, inode }))
      .filter(({ inode }) => own.has(inode))
  );
  const unix = rows(`/proc/${pid}/net/unix`).filter(
    ([, , , flags, , , inode = '', path]) => flags === ACCEPTS && path !== undefined && own.has(inode)
  );
  const listening = tcp.filter(({ state }) => state === LISTEN).map(({ local }) => showAddress(local));
  return {
    listens: [...new Set([...listening, ...unix.map((row) => row[7] ?? '')])],
    connecting: tcp.filter(({ state }) => state === SYN_SENT).map(({ remote }) => showAddress(remote))
  };
}

function socketsOf(pid: number): Set<string> {
  return new Set(
    list(`/proc/${pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1] ?? [])
  );
}

/** An address of `/proc/net/tcp`: the words of the machine in hex, then the port. Of any address only the port is told. */
function showAddress(hex: string): string {
  const [words = '', port = ''] = hex.split(':');
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  const end = `:${Number.parseInt(port, 16)}`;
  if (/^0*$/.test(words)) return end;
  const mapped = /^0{20}ffff/i.test(bytes.join(''));
  if (bytes.length === 4 || mapped) {
    return `${bytes
      .slice(-4)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')}${end}`;
  }
  const groups = bytes.join('').toLowerCase().match(/.{4}/g) ?? [];
  // The URL parser writes an IPv6 address the short way.
  return `${new URL(`http://[${groups.join(':')}]`).hostname}${end}`;
}

function rows(path: string): string[][] {
  return read(path)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended meanwhile, or is another user's
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // as above
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // as above
  }
}
