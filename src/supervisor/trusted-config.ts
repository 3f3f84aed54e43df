import { join } from 'node:path';
import { HandoverError } from '../errors.ts';
import type { Users } from '../host/rights/users.ts';
import type { ConfigSource, Reading } from './configuration.ts';

/** Any file of the folder: one that could be put there. */
const ANY = 'handover.config.mjs';

/**
 * A config that none of the workers' users could have written: root runs it at each reload, and would do what it says. Where one
 * of them could put it there, it is never read again.
 *
 * @param folder where it is
 * @throws HANDOVER_ERR_OPTION_USER where there is one already
 */
export function trustConfig(
  source: ConfigSource | null,
  first: Reading,
  { users, folder, onUnread }: { users: Users; folder: string; onUnread(why: string): void }
): ConfigSource | null {
  if (!source) return null;
  const refuseForeign = (files: Reading['files']) => {
    for (const name of files.keys()) {
      const who = users.whoCouldChange(join(folder, name));
      if (who !== null) throw foreign(join(folder, name), who);
    }
  };
  refuseForeign(first.files);
  const who = users.whoCouldChange(join(folder, ANY));
  if (who !== null) {
    onUnread(`${who} may write to ${folder}: no config is read there at a reload, since root would do what it says`);
    return null;
  }
  return {
    ...source,
    read: async () => {
      refuseForeign(source.look());
      return source.read();
    }
  };
}

function foreign(path: string, who: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_USER', {
    what: `Cannot use ${path} while workers run as ${who}`,
    why: `${who} could change it, and root would do what it says at the next reload`,
    fix: `Let it and the folders above it belong to root, or to a user that is not the app's (\`chown root\`), or start handover in another folder and name the app's with --cwd`
  });
}
