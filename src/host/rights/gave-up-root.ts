let hasDropped = false;

/** Whether this process was root, and has given that up. */
export function gaveUpRoot(): boolean {
  return hasDropped;
}

/** Notes that it has. */
export function noteDrop(): void {
  hasDropped = true;
}
