import { chownSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HandoverError } from '../../errors.ts';
import type { Options } from '../../options/options.ts';
import { reservePorts } from '../listeners/reserved.ts';
import { folderOfUser, ownUid } from '../unix.ts';
import { type Account, findAccount, loginOf, showAccount } from './account.ts';
import { isRoot, proveMayActAs } from './act-as.ts';
import { noteDrop } from './gave-up-root.ts';
import { assertReachable } from './reachable.ts';

type Asked = Pick<Options, 'supervisorUser' | 'user' | 'group' | 'listen'>;

/**
 * Lets this process become another user, for good, once the ports are bound that only root may bind.
 *
 * Before anything else is made: each file and socket of the service belongs to that user from the start.
 *
 * @param folder where the app is to run
 * @throws HANDOVER_ERR_OPTION_USER, HANDOVER_ERR_LISTEN_*
 */
export async function becomeUser(asked: Asked, folder: string): Promise<void> {
  const { supervisorUser, user, group, listen } = asked;
  if (supervisorUser === null) return;
  const account = await findAccount('supervisorUser', supervisorUser, group);
  const refuse = (why: string, fix: string, cause?: unknown) =>
    new HandoverError(
      'HANDOVER_ERR_OPTION_USER',
      { what: `Cannot become ${showAccount(account)}`, why, fix },
      { cause }
    );
  if (user !== null && (await findAccount('user', user, group)).uid !== account.uid) {
    const fix =
      'Leave --user away, or leave --supervisor-user away: the supervisor stays root then, and workers are that user';
    throw refuse('a supervisor that is not root any more cannot start workers of another user (--user)', fix);
  }
  if (account.uid === ownUid()) return;
  if (!isRoot()) {
    const fix = `Start it as root, or as ${showAccount(account)} and without --supervisor-user`;
    throw refuse(`only root can become somebody else, and this is user ${ownUid()}`, fix);
  }
  proveMayActAs(account, refuse);
  assertReachable(account, [
    { what: 'the Node binary', path: realpathSync(process.execPath), kind: 'file' },
    { what: 'handover itself', path: realpathSync(fileURLToPath(import.meta.url)), kind: 'file' },
    { what: 'the working directory', path: realpathSync(folder), kind: 'folder' }
  ]);
  await reservePorts(listen);
  makeFolder(account);
  drop(account);
}

/** Root's own place for it, so that root finds it too. Where it cannot be made, the user's own is taken. */
function makeFolder({ uid, gid }: Account): void {
  try {
    const path = folderOfUser(uid);
    mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, uid, gid);
  } catch {
    // It is there already, as after a restart, or /run cannot be written to.
  }
}

function drop(account: Account): void {
  const { setgroups, setgid, setuid } = process as Required<Pick<NodeJS.Process, 'setgroups' | 'setgid' | 'setuid'>>;
  setgroups([...account.groups]);
  setgid(account.gid);
  setuid(account.uid);
  for (const [name, value] of Object.entries(loginOf(account))) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  noteDrop();
}
