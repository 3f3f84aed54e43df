/** Raised whenever the meaning of a message changes. */
export const PROTOCOL_VERSION = 1;

/** Why a message of another version cannot be read, or null where it is of this one. */
export function explainVersion(version: unknown): string | null {
  if (version === PROTOCOL_VERSION) return null;
  return `protocol version ${typeof version === 'number' ? version : `(a ${typeof version})`} is not ${PROTOCOL_VERSION}`;
}
