import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { HandoverError, systemCode } from '../../errors.ts';

/** A unit takes as long to start as its app does: TimeoutStartSec= is the limit, and this is only for what hangs. */
const LONGEST_MS = 900_000;

/** Whether a systemd runs here that could be given orders. */
export function isSystemdRunning(isUser: boolean): boolean {
  if (!isUser) return existsSync('/run/systemd/system');
  const { XDG_RUNTIME_DIR } = process.env;
  return XDG_RUNTIME_DIR !== undefined && existsSync(`${XDG_RUNTIME_DIR}/systemd/private`);
}

/** A command for systemd, as somebody would type it. */
export function showSystemctl(isUser: boolean, ...args: readonly string[]): string {
  return ['systemctl', ...(isUser ? ['--user'] : []), ...args].join(' ');
}

/**
 * Gives systemd an order, and waits for its end.
 *
 * @throws HANDOVER_ERR_REFUSED_INSTALL
 */
export async function systemctl(isUser: boolean, ...args: readonly string[]): Promise<void> {
  const line = showSystemctl(isUser, ...args);
  const words = [...(isUser ? ['--user'] : []), ...args];
  const why = await new Promise<string | null>((done) => {
    execFile('systemctl', words, { timeout: LONGEST_MS }, (error, _stdout, stderr) => {
      const said = stderr.trim().split('\n').slice(0, 3).join('; ');
      if (!error) done(null);
      else done(systemCode(error) === 'ENOENT' ? 'there is no systemctl' : said || error.message.trim());
    });
  });
  if (why === null) return;
  throw new HandoverError('HANDOVER_ERR_REFUSED_INSTALL', {
    what: `\`${line}\` failed`,
    why,
    fix: 'The files are as they were said to be; see the journal of the unit, mend it and give that order again'
  });
}
