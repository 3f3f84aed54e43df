import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HandoverError } from '../../errors.ts';
import { FILES } from '../config.ts';
import { compare, refuseHeld, refuseRights, unitFolder, writeFiles } from '../units/installed.ts';
import type { ImportedApp } from './plan-files.ts';

/**
 * Writes what was planned: configs, variables, units and folders of logs. Nothing is written if one of them may not be.
 *
 * @returns the paths that were written
 * @throws HANDOVER_ERR_REFUSED_INSTALL
 */
export function installFiles(apps: readonly ImportedApp[], isUser: boolean, isForced: boolean): string[] {
  const folder = unitFolder(isUser);
  if (!isForced) for (const app of apps) refuseWhatIsThere(app, folder);
  const written: string[] = [];
  for (const app of apps) {
    for (const path of Object.values(app.output)) if (path !== '/dev/null') makeFolder(dirname(path), app.cwd);
    if (app.config && readText(app.config.path) !== app.config.text) {
      writeOwn(app.config.path, app.config.text, app.cwd);
      written.push(app.config.path);
    }
    written.push(...writeFiles(folder, app.unit, app.units, isForced));
  }
  return written;
}

function refuseWhatIsThere({ config, unit, units, cwd }: ImportedApp, folder: string): void {
  for (const file of units) {
    const fate = compare(folder, unit, file);
    if (fate === 'foreign' || fate === 'edited') throw refuseHeld(join(folder, file.name), fate);
  }
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) throw noFolder(cwd);
  if (!config) return;
  const there = readText(config.path);
  if (there !== null && there !== config.text) throw refuseHeld(config.path, 'foreign');
  const other = FILES.map((name) => join(dirname(config.path), name)).find((path) => existsSync(path));
  if (config.values && other !== undefined && other !== config.path) throw refuseHeld(other, 'foreign');
}

function noFolder(cwd: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_REFUSED_INSTALL', {
    what: `Nothing is installed for ${cwd}`,
    why: 'there is no such folder here',
    fix: 'Give the command on the machine of the app, or correct "cwd"'
  });
}

/** It may hold secrets, as PM2's file did: for the owner of the app's folder alone. */
function writeOwn(path: string, text: string, owner: string): void {
  try {
    makeFolder(dirname(path), owner);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    giveTo(`${path}.new`, owner);
    renameSync(`${path}.new`, path);
  } catch (error) {
    if (HandoverError.is(error)) throw error;
    throw refuseRights(dirname(path), error);
  }
}

function makeFolder(folder: string, owner: string): void {
  try {
    const first = mkdirSync(folder, { recursive: true });
    if (first !== undefined) for (let at = folder; at.length >= first.length; at = dirname(at)) giveTo(at, owner);
  } catch (error) {
    throw refuseRights(folder, error);
  }
}

function giveTo(path: string, owner: string): void {
  const { uid, gid } = statSync(owner);
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not there
  }
}
