import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HandoverError, systemCode } from '../../errors.ts';
import type { UnitFile } from './unit-text.ts';

// The units that were written by us, told from those of others by their first line, which also says what they were.

const MARK = /^# Written by handover for (.+) \(([0-9a-f]{12})\); changes belong into a drop-in \(systemctl edit\)\.\n/;

/** Where units are: of the machine, or of the user who asks. */
export function unitFolder(isUser: boolean): string {
  if (!isUser) return '/etc/systemd/system';
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd/user');
}

/** A unit file as it is written: with the line by which it is known as ours. */
export function mark(unit: string, text: string): string {
  return `# Written by handover for ${unit} (${sum(text)}); changes belong into a drop-in (systemctl edit).\n${text}`;
}

/** What is to become of a file, of which something may be there. */
export type Fate = 'new' | 'same' | 'changed' | 'foreign' | 'edited';

/** Compares what is to be written with what is there. */
export function compare(folder: string, unit: string, { name, text }: UnitFile): Fate {
  const there = readText(join(folder, name));
  if (there === null) return 'new';
  if (there === mark(unit, text)) return 'same';
  const [line, , was] = MARK.exec(there) ?? [];
  if (line === undefined) return 'foreign';
  return sum(there.slice(line.length)) === was ? 'changed' : 'edited';
}

/**
 * Writes the files, all or none: each is complete under its name or not there.
 *
 * @returns the paths that were written
 * @throws HANDOVER_ERR_REFUSED_INSTALL where a file is somebody else's or was edited, unless it is forced; or cannot be written
 */
export function writeFiles(folder: string, unit: string, files: readonly UnitFile[], isForced: boolean): string[] {
  const fates = files.map((file) => ({ file, fate: compare(folder, unit, file) }));
  const held = fates.find(({ fate }) => fate === 'foreign' || fate === 'edited');
  if (held && !isForced) throw refuseHeld(join(folder, held.file.name), held.fate);
  const wanted = fates.filter(({ fate }) => fate !== 'same').map(({ file }) => file);
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of wanted) {
      const path = join(folder, name);
      writeFileSync(`${path}.new`, mark(unit, text), { mode: 0o644 });
      renameSync(`${path}.new`, path);
    }
  } catch (error) {
    throw refuseRights(folder, error);
  }
  return wanted.map(({ name }) => join(folder, name));
}

/** The names of the files that were written for a unit. */
export function findInstalled(folder: string, unit: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => MARK.exec(readText(join(folder, name)) ?? '')?.[1] === unit)
      .sort();
  } catch {
    return []; // no such folder: nothing is installed
  }
}

/** The names of the units that were written by us. */
export function listInstalled(folder: string): string[] {
  try {
    const units = readdirSync(folder).flatMap((name) => MARK.exec(readText(join(folder, name)) ?? '')?.[1] ?? []);
    return [...new Set(units)].sort();
  } catch {
    return []; // no such folder: nothing is installed
  }
}

/** @throws HANDOVER_ERR_REFUSED_INSTALL */
export function removeFiles(folder: string, names: readonly string[]): void {
  try {
    for (const name of names) rmSync(join(folder, name), { force: true });
  } catch (error) {
    throw refuseRights(folder, error);
  }
}

/** What may not be written over. @param fate how the file that is there was told from ours */
export function refuseHeld(path: string, fate: Fate): HandoverError {
  return new HandoverError('HANDOVER_ERR_REFUSED_INSTALL', {
    what: `${path} is not written over`,
    why: fate === 'edited' ? 'it was changed since handover wrote it' : 'it is there, and handover has not written it',
    fix: 'Move it away, give another name with --name, or write over it with --force'
  });
}

/** What this user may not write. */
export function refuseRights(folder: string, cause: unknown): HandoverError {
  const why = systemCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new HandoverError(
    'HANDOVER_ERR_REFUSED_INSTALL',
    {
      what: `Cannot write in ${folder}`,
      why: why === 'EACCES' || why === 'EPERM' ? `this user may not (${why})` : `the system says ${why}`,
      fix: 'Give the command as root, or --user for a unit of this user, or --print and write it yourself'
    },
    { cause }
  );
}

function sum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not there, not a file, or not for this user
  }
}
