import { HandoverError, systemCode } from '../errors.ts';

const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write in its folder',
  EPERM: 'this user may not write in its folder',
  EROFS: 'its file system can only be read',
  ENOSPC: 'its disk is full',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a part of its path is no folder'
};

/** Why a socket cannot be made, in words. */
export function explainSystem(error: unknown): string {
  const code = systemCode(error);
  if (code === null) return (error as Error).message;
  return Object.hasOwn(SYSTEM, code) ? `${SYSTEM[code]} (${code})` : `the system answered ${code}`;
}

/** A request that is none, or none of ours. */
export function badRequest(what: string, why: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_CONTROL_BAD_REQUEST', {
    what,
    why,
    fix: 'See `handover --help` for what can be asked'
  });
}
