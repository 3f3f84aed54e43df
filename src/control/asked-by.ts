import type { IncomingMessage } from 'node:http';
import { userInfo } from 'node:os';
import type { AskedBy } from '../core/state/state.ts';

/** Says who gives an order. It is what the client says: the socket only tells that it is its owner, or root. */
const HEADER = 'x-handover-operator';

/** What a client says of itself, for the route that it asks. */
export function signRequest(path: string): Record<string, string> {
  const by: AskedBy = {
    uid: process.getuid?.() ?? null,
    user: findUser(),
    ...sudo(),
    command: `handover ${path.slice(1)}`
  };
  return { [HEADER]: encodeURIComponent(JSON.stringify(by)) };
}

/** Who gives an order, as far as that was said. */
export function readAskedBy({ headers, method, url = '/' }: IncomingMessage): AskedBy {
  const unknown = { uid: null, user: null, command: `${method} ${url.split('?', 1)[0]}`.slice(0, LONGEST) };
  const given = headers[HEADER];
  if (typeof given !== 'string') return unknown;
  try {
    const { uid, user, sudoUser, command } = JSON.parse(decodeURIComponent(given)) as Record<string, unknown>;
    return {
      uid: Number.isSafeInteger(uid) && Number(uid) >= 0 ? Number(uid) : null,
      user: isText(user) ? user : null,
      ...(isText(sudoUser) ? { sudoUser } : {}),
      command: isText(command) ? command : unknown.command
    };
  } catch {
    return unknown; // it is nothing that a client of ours says
  }
}

const LONGEST = 100;

function isText(value: unknown): value is string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return typeof value === 'string' && value.length <= LONGEST && /^[^\x00-\x1f\x7f]+$/.test(value);
}

/** Whose process this is; null where the system has no name for its user. */
export function findUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null; // a user without an entry of the system, as in a container
  }
}

function sudo(): { sudoUser?: string } {
  const { SUDO_USER } = process.env;
  return SUDO_USER ? { sudoUser: SUDO_USER } : {};
}
