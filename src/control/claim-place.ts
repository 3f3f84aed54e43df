import { linkSync, renameSync, unlinkSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { inodeOf, isAnswered } from '../host/unix.ts';

/**
 * Links a socket that was made under a name of its own to its place, which fails if that exists: of supervisors that start
 * together only one has it. What a supervisor has left behind that was killed is removed.
 *
 * @param isHolderStopped whether whoever has the place cannot answer, and will not for now
 * @returns false where another one answers there
 */
export async function claimPlace(own: string, place: string, isHolderStopped: () => boolean): Promise<boolean> {
  const aside = `${own}.old`;
  const isHeld = async (path: string) => !isHolderStopped() && (await isAnswered(path));
  while (!succeeds(() => linkSync(own, place), 'EEXIST')) {
    const found = inodeOf(place);
    if (await isHeld(place)) return false;
    // Somebody else has removed it meanwhile, and may have the place.
    if (found === null || inodeOf(place) !== found) continue;
    // Between that look and the next step another one may still be quicker: only what is silent where it was moved is removed.
    if (!succeeds(() => renameSync(place, aside), 'ENOENT')) continue;
    const mistaken = await isHeld(aside);
    // Where a third one was quicker, that one has it: whoever is moved aside sees so, and leaves.
    if (mistaken) succeeds(() => linkSync(aside, place), 'EEXIST');
    unlinkSync(aside);
    if (mistaken) return false;
  }
  return true;
}

/** Whether something succeeded that may fail for one reason. @throws the error of the system for any other */
function succeeds(deed: () => void, reason: string): boolean {
  try {
    deed();
    return true;
  } catch (error) {
    if (systemCode(error) !== reason) throw error;
    return false;
  }
}
