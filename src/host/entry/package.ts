import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

interface Manifest {
  readonly name?: unknown;
  readonly bin?: unknown;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** The scripts of the package.json of a folder, or of the nearest one above it. */
export function readScripts(folder: string): Readonly<Record<string, string>> {
  return findManifest(folder)?.manifest.scripts ?? {};
}

/** Which command of an installed package a file is; null for any other file, such as one of the app's own. */
export function nameCommand(file: string): string | null {
  const found = file.includes('/node_modules/') ? findManifest(dirname(file)) : null;
  if (!found) return null;
  const { bin, name } = found.manifest;
  const commands = typeof bin === 'string' ? { [basename(String(name))]: bin } : { ...(bin as object | undefined) };
  return Object.entries(commands).find(([, path]) => join(found.folder, String(path)) === file)?.[0] ?? null;
}

/** The file of a command that an installed package has, as it can be named from a folder. */
export function findCommand(name: string, folder: string): string | null {
  if (!/^[\w.-]+$/.test(name)) return null;
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, 'node_modules/.bin', name);
    if (existsSync(path)) return relative(folder, behindShim(path));
    if (at === dirname(at)) return null;
  }
}

/** Whether a package can be loaded from a folder. */
export function isInstalled(name: string, folder: string): boolean {
  try {
    createRequire(join(folder, 'noop.js')).resolve(name);
    return true;
  } catch {
    return false; // not installed there: that is the answer
  }
}

/** pnpm puts a shell script in the place of a link: the file that it runs. */
export function behindShim(path: string): string {
  const real = realpathSync(path);
  const text = readFileSync(real, 'utf8');
  const [, target] = (text.startsWith('#!/bin/sh') && /\$basedir\/([^"\s]+\.[cm]?js|[^"\s]+)" +"\$@"/.exec(text)) || [];
  return target === undefined ? path : join(dirname(real), target);
}

function findManifest(folder: string): { readonly folder: string; readonly manifest: Manifest } | null {
  for (let at = folder; ; at = dirname(at)) {
    const manifest = parse(join(at, 'package.json'));
    // A package.json inside of a package may say no more than the type of its files.
    if (manifest?.name !== undefined || manifest?.scripts !== undefined) return { folder: at, manifest };
    if (at === dirname(at)) return null;
  }
}

function parse(path: string): Manifest | null {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof manifest === 'object' ? manifest : null;
  } catch {
    return null; // not there, or not usable: another one may be
  }
}
