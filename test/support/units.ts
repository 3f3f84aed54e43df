import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeFolder, writeFile } from './folder.ts';

interface Unit {
  readonly name: string;
  readonly text: string;
}

/** Why units cannot be checked here, or false. */
export function cannotVerifyUnits(): string | false {
  return spawnSync('systemd-analyze', ['--version']).status !== 0 && 'systemd-analyze is not installed';
}

/** Has systemd read units, as if all programs that they name were there. */
export function verifyUnits(t: TestContext, units: readonly Unit[]): void {
  const folder = makeFolder(t);
  const paths = units.map(({ name, text }) => writeFile(join(folder, name), withPrograms(folder, text)));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], { encoding: 'utf8' });
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(folder));
  assert.deepEqual([status, said], [0, []], `${stderr}`);
}

/** How exposed a unit is, from 0 to 10. */
export function scoreUnit(t: TestContext, { name, text }: Unit): number {
  const path = writeFile(join(makeFolder(t), name), text);
  const { stdout, stderr } = spawnSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' });
  const [, score] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? assert.fail(stderr);
  return Number(score);
}

function withPrograms(folder: string, text: string): string {
  return text.replace(/^(Exec\w+=)(\/\S+)/gm, (_, name, program: string) => {
    if (existsSync(program)) return `${name}${program}`;
    const path = writeFile(join(folder, program.replaceAll('/', '-')), '#!/bin/sh\n');
    chmodSync(path, 0o755);
    return `${name}${path}`;
  });
}
