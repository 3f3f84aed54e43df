import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Release } from '../../core/state/state.ts';
import { HandoverError } from '../../errors.ts';
import type { Options } from '../../options/options.ts';
import { ownerOf } from '../processes/running-process.ts';
import { ownGid, ownUid } from '../unix.ts';
import { type Account, findAccount, showAccount } from './account.ts';
import { isRoot, proveMayActAs } from './act-as.ts';
import { hasSetpriv } from './command-as.ts';
import { assertReachable, couldChange, mayReplaceIn } from './reachable.ts';

type Asked = Pick<Options, 'user' | 'group' | 'supervisorUser'>;

/** A user as whom workers are started. */
export interface WorkerAccount extends Account {
  /** Whether its groups are set, and new privileges are out of its reach: else only its user and group are. */
  readonly setpriv: boolean;
}

/** As whom workers run: looked up and proven before anything is started, so that starting one cannot fail by it. */
export class Users {
  readonly #link: string;
  readonly #known = new Map<string, WorkerAccount | null>();

  /** @param link the path of the socket on which workers find their supervisor */
  constructor(link: string) {
    this.#link = link;
  }

  /**
   * Makes sure that workers of a release can be started as whom the options say.
   *
   * @throws HANDOVER_ERR_OPTION_USER
   */
  async prepare(asked: Asked, { file, cwd, node }: Pick<Release, 'file' | 'cwd' | 'node'>): Promise<void> {
    const account = await prove(asked);
    if (account) {
      assertReachable(account, [
        { what: 'the Node binary', path: node ?? realpathSync(process.execPath), kind: 'file' },
        { what: 'the working directory', path: cwd, kind: 'folder' },
        { what: 'the entry', path: file, kind: 'file' }
      ]);
    }
    this.#known.set(keyOf(asked), account);
  }

  /**
   * Makes sure that workers reach the socket of their supervisor, and only that. It was prepared before, and the folder is there.
   *
   * @throws HANDOVER_ERR_OPTION_USER
   */
  assertLink(asked: Asked): void {
    const account = this.of(asked);
    if (!account || account.uid === ownUid()) return;
    const folder = realpathSync(dirname(this.#link));
    assertReachable(account, [{ what: 'the folder of the control socket', path: folder, kind: 'folder' }]);
    if (!mayReplaceIn(account, folder)) return;
    throw new HandoverError('HANDOVER_ERR_OPTION_USER', {
      what: `Cannot run workers as ${showAccount(account)}`,
      why: `it may write to ${folder}, the folder of the control socket, and could put its own in its place`,
      fix: `Let the folder belong to root alone (\`chown root ${folder}\`, \`chmod go-w ${folder}\`), or give another place with --socket`
    });
  }

  /** Which user of workers could change a file, in words; null where none could. */
  whoCouldChange(path: string): string | null {
    const others = [...this.#known.values()].filter((account) => account !== null && account.uid !== ownUid());
    const found = others.find((account) => account !== null && couldChange(account, path));
    return found ? showAccount(found) : null;
  }

  /** As whom workers run; null: as this process. It was prepared before. */
  of(asked: Asked): WorkerAccount | null {
    const account = this.#known.get(keyOf(asked));
    // Never as root by mistake.
    if (account === undefined) throw new Error(`the user ${asked.user} was not looked up`);
    return account;
  }

  /** As whom a worker runs that an earlier supervisor started, maybe with other options. */
  ofProcess(pid: number, asked: Asked): WorkerAccount | null {
    const { uid, gid } = ownerOf(pid);
    const account = this.of(asked);
    if (account?.uid === uid) return account;
    if (uid === ownUid()) return null;
    return { name: null, uid, gid, groups: [gid], home: '/', shell: null, setpriv: false };
  }

  /** What cannot be had of it on this machine, in words; null where all can. */
  get lacks(): string | null {
    const lacking = [...this.#known.values()].find((account) => account?.setpriv === false);
    if (!lacking) return null;
    const others = lacking.groups.filter((gid) => gid !== lacking.gid);
    const groups = others.length === 0 ? '' : `has none of its other groups (${others.join(', ')}), and `;
    return `there is no setpriv of util-linux here: ${showAccount(lacking)} ${groups}may gain rights by programs that are setuid`;
  }
}

function keyOf({ user, group }: Asked): string {
  return JSON.stringify([user, group]);
}

/** @returns null where it is whoever runs this */
async function prove({ user, group, supervisorUser }: Asked): Promise<WorkerAccount | null> {
  if (supervisorUser !== null) return proveOwn(supervisorUser, group);
  if (user === null && group === null) return null;
  const own = { uid: ownUid(), gid: ownGid() };
  const account = await findAccount('user', user ?? String(own.uid), group);
  if (account.uid === own.uid && account.gid === own.gid) return null;
  const refuse = (why: string, fix: string, cause?: unknown) =>
    new HandoverError(
      'HANDOVER_ERR_OPTION_USER',
      { what: `Cannot run workers as ${showAccount(account)}`, why, fix },
      { cause }
    );
  if (!isRoot()) {
    const fix = 'Start handover as root, or as that user and without --user and --group';
    throw refuse(`only root may start processes of others, and this is user ${own.uid}`, fix);
  }
  proveMayActAs(account, refuse);
  return { ...account, setpriv: hasSetpriv(account) };
}

/** The user that this process has become: workers need no other rights, and can be kept from gaining any. */
async function proveOwn(user: string, group: string | null): Promise<WorkerAccount | null> {
  const account = await findAccount('supervisorUser', user, group);
  return account.uid === 0 ? null : { ...account, setpriv: hasSetpriv(account) };
}
