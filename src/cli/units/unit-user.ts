import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** As whom a service runs: a user of the machine, one that systemd makes for it, or, in a user unit, whoever installs it. */
export type UnitUser =
  | { readonly kind: 'named'; readonly name: string; readonly group: string | null; readonly why?: string }
  | { readonly kind: 'dynamic' }
  | { readonly kind: 'own' };

/**
 * Chooses as whom a service of a folder runs: the owner of the folder. Of root's folder a user that systemd makes for it,
 * and root itself where nobody else can read it.
 */
export function chooseUser(folder: string): UnitUser {
  const uid = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (uid === undefined || uid === 0)
    return isOpen(folder) ? { kind: 'dynamic' } : toRoot('the folder is closed to everybody else');
  return toUser(findUserName(uid) ?? String(uid));
}

/** A user by name or number. */
export function toUser(name: string, group: string | null = null): UnitUser {
  return { kind: 'named', name, group };
}

/** Root, and why it has to be. */
export function toRoot(because: string): UnitUser {
  return { kind: 'named', name: 'root', group: null, why: `Root: ${because}.` };
}

/** Whether anybody may read a folder. One that does not exist yet is taken to be so. */
function isOpen(folder: string): boolean {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode;
  if (mode !== undefined && (mode & 0o005) !== 0o005) return false;
  for (let at = dirname(folder); ; at = dirname(at)) {
    const above = statSync(at, { throwIfNoEntry: false })?.mode;
    if (above !== undefined && (above & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function findUserName(uid: number): string | null {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? null;
  } catch {
    return null; // systemd takes the number as well
  }
}
