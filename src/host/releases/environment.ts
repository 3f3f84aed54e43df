import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { parseEnv, promisify } from 'node:util';
import { systemCode } from '../../errors.ts';
import { isRoot } from '../rights/act-as.ts';

/** The oldest Node that this package runs in, as "engines" in package.json says. */
export const OLDEST_NODE = [20, 19] as const;

/** How long a Node binary may take to say its version. */
const VERSION_MS = 10_000;

const run = promisify(execFile);

/**
 * Reads a file of `KEY=value` lines.
 *
 * @throws Error whose message says why it cannot be
 */
export function readEnvFile(path: string): Readonly<Record<string, string>> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch (error) {
    throw new Error(explain(path, error), { cause: error });
  }
}

/**
 * Finds out whether a file is a Node binary that a worker can run in, by asking it for its version.
 *
 * @returns its real path, or null where it is the very binary that runs here
 * @throws Error whose message says why it cannot be used
 */
export async function checkNode(path: string): Promise<string | null> {
  const real = reachBinary(path);
  if (real === realpathSync(process.execPath)) return null;
  const version = await askVersion(real);
  const [, major, minor] = /^v(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
  if (major === undefined) throw new Error(`${real} is not Node: asked for its version, it said ${quote(version)}`);
  const [oldest, least] = OLDEST_NODE;
  const old = Number(major) < oldest || (Number(major) === oldest && Number(minor) < least);
  if (old) throw new Error(`${real} is Node ${version.trim()}, and ${oldest}.${least} is the oldest that can be used`);
  return real;
}

function reachBinary(path: string): string {
  try {
    const real = realpathSync(path);
    accessSync(real, constants.X_OK);
    return real;
  } catch (error) {
    throw new Error(systemCode(error) === 'EACCES' ? `${path} is not executable` : explain(path, error), {
      cause: error
    });
  }
}

async function askVersion(binary: string): Promise<string> {
  try {
    return await runVersion(binary, asOwner(binary));
  } catch (error) {
    const { code, killed } = error as { code?: string | number; killed?: boolean };
    const how = killed ? `did not say its version within ${VERSION_MS} ms` : `could not say its version (${code})`;
    throw new Error(`${binary} ${how}`, { cause: error });
  }
}

/** Asks as whoever owns the binary: root does not run what is an app's. One that its owner cannot reach is in a folder of root's. */
async function runVersion(binary: string, owner: { uid?: number; gid?: number }): Promise<string> {
  const options = { timeout: VERSION_MS, killSignal: 'SIGKILL', encoding: 'utf8' } as const;
  try {
    return (await run(binary, ['--version'], { ...options, ...owner })).stdout;
  } catch (error) {
    if (owner.uid === undefined || systemCode(error) !== 'EACCES') throw error;
    return (await run(binary, ['--version'], options)).stdout;
  }
}

function asOwner(binary: string): { uid?: number; gid?: number } {
  const { uid, gid } = statSync(binary);
  return isRoot() && uid !== 0 ? { uid, gid } : {};
}

function explain(path: string, error: unknown): string {
  const reason = systemCode(error);
  return reason === 'ENOENT' ? `${path} does not exist` : `${path} cannot be read (${reason ?? String(error)})`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
