import { accessSync, constants, statSync } from 'node:fs';
import type { HistoryEntry, Release } from '../../core/state/state.ts';
import { HandoverError } from '../../errors.ts';

/**
 * Finds the release of an earlier generation, to be started once more exactly as it was: from its real paths, with its
 * environment and its binary.
 *
 * @throws HANDOVER_ERR_REFUSED_NO_GENERATION
 */
export function releaseFromHistory(history: readonly HistoryEntry[], id: number, active: number | null): Release {
  const found = history.find(({ generation }) => generation === id);
  const gone = found ? findMissing(found.release) : null;
  if (found && gone === null) return found.release;
  const known = history.map(({ generation }) => generation).join(', ') || 'none';
  const serving = active === null ? 'no generation is active' : `generation ${active} is still active`;
  throw new HandoverError(
    'HANDOVER_ERR_REFUSED_NO_GENERATION',
    {
      what: `Cannot go back to generation ${id}`,
      why: gone ?? `the history does not have it (it has ${known})`,
      fix: `Choose another one of \`handover history\`, or reload with an entry; ${serving}`
    },
    { active }
  );
}

/** Which of the files of a release is not there any more, or null. */
function findMissing({ file, cwd, node }: Release): string | null {
  if (!holds(() => statSync(file).isFile())) return `its entry ${file} is gone`;
  if (!holds(() => statSync(cwd).isDirectory())) return `its working directory ${cwd} is gone`;
  const runs = node === null || holds(() => accessSync(node, constants.X_OK) === undefined);
  return runs ? null : `its Node binary ${node} is gone`;
}

function holds(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false; // not there, or not for this user: that is the answer
  }
}
