import { type HandoverError, systemCode } from '../../errors.ts';

/** As whom the kernel sees a process. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

type Rights = Required<Pick<NodeJS.Process, 'geteuid' | 'getegid' | 'getgroups' | 'seteuid' | 'setegid' | 'setgroups'>>;

/** Whether this process may become somebody else. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Does something with the rights of another user, so that the kernel decides what that user may: links that it lays where
 * root goes lead nowhere that it could not go itself.
 *
 * Only what is done before `act` returns: it must not wait for anything.
 *
 * @param who null: as this process is. Who is not root has no other rights to do it with
 * @throws Error with a code of the system where this process may not
 */
export function actAs<T>(who: Identity | null, act: () => T): T {
  if (who === null || !isRoot()) return act();
  const rights = process as Rights;
  const [uid, gid, groups] = [rights.geteuid(), rights.getegid(), rights.getgroups()];
  rights.setgroups([...who.groups]);
  try {
    rights.setegid(who.gid);
    rights.seteuid(who.uid);
    return act();
  } finally {
    rights.seteuid(uid);
    rights.setegid(gid);
    rights.setgroups(groups);
  }
}

/**
 * Makes sure that this root may become somebody else: in a container it may not always.
 *
 * @param refuse makes the error of why, how it is mended, and the cause
 */
export function proveMayActAs(
  who: Identity,
  refuse: (why: string, fix: string, cause: unknown) => HandoverError
): void {
  try {
    actAs(who, () => {});
  } catch (error) {
    const fix =
      'Give it CAP_SETUID and CAP_SETGID (in a container: `--cap-add SETUID --cap-add SETGID`), or start it as that user';
    throw refuse(`this root may not become somebody else (${systemCode(error)})`, fix, error);
  }
}
