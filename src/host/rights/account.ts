import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { HandoverError } from '../../errors.ts';
import type { Identity } from './act-as.ts';

const run = promisify(execFile);

/** A user of this machine. */
export interface Account extends Identity {
  /** Null for a number that no user has. */
  readonly name: string | null;
  readonly home: string;
  readonly shell: string | null;
}

/** How people call it in a message. */
export function showAccount({ name, uid }: Account): string {
  return name ?? `user ${uid}`;
}

/**
 * Finds a user, by name or number, with the groups that a login would give it.
 *
 * @param option under which it was given, for the message
 * @param group its group in place of the primary one
 * @throws HANDOVER_ERR_OPTION_USER
 */
export async function findAccount(option: string, user: string, group: string | null): Promise<Account> {
  const fields = await lookUp('passwd', user);
  const [name = null, , , primary, , home, shell] = fields ?? [];
  const uid = Number(fields ? fields[2] : user);
  if (!fields && !isId(user)) {
    throw new HandoverError('HANDOVER_ERR_OPTION_USER', {
      what: `Option "${option}" is not usable`,
      why: `this machine has no user ${user}`,
      fix: 'Name one that `getent passwd` shows, make it (`useradd --system`), or give a number and --group'
    });
  }
  if (!fields && group === null) {
    throw new HandoverError('HANDOVER_ERR_OPTION_USER', {
      what: `Option "${option}" is not usable`,
      why: `no user of this machine has the number ${user}, so that it has no group either`,
      fix: 'Give its group with --group, or name a user that `getent passwd` shows'
    });
  }
  const gid = group === null ? Number(primary) : await groupOf(group);
  const others = name === null ? [] : (await groupsOf(name)).filter((one) => one !== Number(primary));
  const groups = [...new Set([gid, ...others])];
  return { name, uid, gid, groups, home: home || '/', shell: shell || null };
}

/**
 * What a login sets in the environment, over that of the supervisor. A folder that is for root alone is none for it.
 */
export function loginOf({ name, home, shell }: Account): NodeJS.ProcessEnv {
  const own = { HOME: home, USER: name ?? undefined, LOGNAME: name ?? undefined, SHELL: shell ?? undefined };
  return { ...own, XDG_RUNTIME_DIR: undefined };
}

/** The number of a group, by name or number; null where this machine has none of that name. */
export async function findGroupId(group: string): Promise<number | null> {
  const gid = Number((await lookUp('group', group))?.[2] ?? (isId(group) ? group : Number.NaN));
  return Number.isInteger(gid) ? gid : null;
}

/** @throws HANDOVER_ERR_OPTION_USER */
async function groupOf(group: string): Promise<number> {
  const gid = await findGroupId(group);
  if (gid !== null) return gid;
  throw new HandoverError('HANDOVER_ERR_OPTION_USER', {
    what: 'Option "group" is not usable',
    why: `this machine has no group ${group}`,
    fix: 'Name one that `getent group` shows, or give its number'
  });
}

/** The fields of one line of a database, by name or number: the file first, then whatever the system knows besides. */
async function lookUp(database: 'passwd' | 'group', key: string): Promise<string[] | null> {
  const has = (fields: string[]) => fields[0] === key || (isId(key) && Number(fields[2]) === Number(key));
  const local = readLines(`/etc/${database}`).map((line) => line.split(':'));
  const found = local.find((fields) => fields[0] === key) ?? local.find(has);
  if (found || key.startsWith('-')) return found ?? null;
  try {
    const { stdout } = await run('getent', [database, key]);
    return stdout.trim() === '' ? null : stdout.trim().split(':');
  } catch {
    return null; // no such entry, or no such program
  }
}

/** All groups of a user. Who asks is the system, since groups may come from a directory service. */
async function groupsOf(name: string): Promise<number[]> {
  try {
    return (await run('id', ['-G', name])).stdout.split(/\s+/).filter(isId).map(Number);
  } catch {
    // No such program: what the file says is all there is.
    const groups = readLines('/etc/group').map((line) => line.split(':'));
    return groups.filter((fields) => fields[3]?.split(',').includes(name)).map((fields) => Number(fields[2]));
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return []; // no such file: the system may know it all the same
  }
}

/** The kernel keeps ids in 32 bits, and the last one says "none". */
const MOST = 0xffff_fffe;

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= MOST;
}
