import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ownUid } from '../unix.ts';
import type { Identity } from './act-as.ts';

/** Where it may be. Not looked for in PATH: root runs it. */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
const ENV = '/usr/bin/env';

/**
 * What a program reads from its environment before its first line runs, and what the functions of its library read. Root must
 * not run a program with these in it: the environment is the app's. `env` gives them back, which runs as the other user already.
 *
 * @source glibc sysdeps/generic/unsecvars.h, and LD_* of musl
 */
const UNSAFE =
  /^(?:LD_.*|GLIBC_TUNABLES|GCONV_PATH|GETCONF_DIR|MALLOC_.*|LOCPATH|LC_.*|LANG|LANGUAGE|NLSPATH|OUTPUT_CHARSET|TZDIR|HOSTALIASES|LOCALDOMAIN|RESOLV_HOST_CONF|RES_OPTIONS|NIS_PATH)$/;

/** How a program is started for another user. */
export interface CommandAs {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: { readonly env: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number };
}

/**
 * Whether `setpriv` of util-linux does here what is wanted of it. That of BusyBox has another name only for what it can: it
 * changes no user.
 */
export function hasSetpriv(who: Identity): boolean {
  if (SETPRIV === undefined || !existsSync(ENV)) return false;
  return spawnSync(SETPRIV, [...flagsFor(who), ENV], { env: {}, stdio: 'ignore' }).status === 0;
}

/**
 * A command line that runs as another user from its first instruction on.
 *
 * With `setpriv`: it has all groups, and no program that it runs gives it more rights (no_new_privs). Without it, Node's own
 * way to start a process for somebody else: with the one group, and without that promise.
 *
 * @param who null: as this process
 */
export function commandAs(
  who: (Identity & { readonly setpriv: boolean }) | null,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv
): CommandAs {
  if (who === null) return { command, args, options: { env } };
  if (!who.setpriv || SETPRIV === undefined) return { command, args, options: { env, uid: who.uid, gid: who.gid } };
  const names = Object.keys(env).filter((name) => UNSAFE.test(name) && env[name] !== undefined);
  const safe = Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
  const given = names.length === 0 ? [] : [ENV, ...names.map((name) => `${name}=${env[name]}`)];
  return { command: SETPRIV, args: [...flagsFor(who), ...given, command, ...args], options: { env: safe } };
}

/** Numbers only, so that it looks nothing up. */
function flagsFor({ uid, gid, groups }: Identity): string[] {
  if (uid === ownUid()) return ['--no-new-privs', '--'];
  const others = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
  return [`--reuid=${uid}`, `--regid=${gid}`, others, '--no-new-privs', '--'];
}
