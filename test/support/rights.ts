import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from './end.ts';

/** A user that every machine has, and that owns nothing. */
export const NOBODY = readId('nobody');

/** Why nothing can be run as another user here, or false. */
export function cannotSwitchUsers(): string | false {
  if (process.getuid?.() !== 0) return 'running something as another user needs root';
  if (NOBODY === null) return 'there is no user nobody';
  const reached = spawnSync(process.execPath, ['--version'], { uid: NOBODY.uid, gid: NOBODY.gid });
  return reached.status !== 0 && 'nobody cannot reach the Node binary that runs the tests';
}

export function readId(user: string): { readonly uid: number; readonly gid: number } | null {
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === user);
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
}

/** Makes a user that is a member of other groups, for as long as the test takes. @returns null where that cannot be */
export function makeUser(t: TestContext, name: string, groups: readonly string[]): { uid: number; gid: number } | null {
  const made = spawnSync('useradd', ['--system', '--user-group', '--groups', groups.join(','), name]);
  if (made.status !== 0) return null;
  atEnd(t, () => void spawnSync('userdel', [name]));
  return readId(name);
}

/** Says as whom it runs, what it can do with files and sockets, and what its environment has. */
const APP = `
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { connect } = require('node:net');
const reach = (path) => new Promise((done) => {
  const socket = connect(path, () => { socket.destroy(); done('connected'); });
  socket.on('error', ({ code }) => done(code));
});
const read = (path) => { try { return readFileSync(path, 'utf8').length > 0; } catch ({ code }) { return code; } };
createServer(async (request, response) => {
  const [, what, path] = /^\\/(\\w*)(.*)$/.exec(request.url);
  const answer = what === 'reach' ? await reach(path) : what === 'read' ? read(path) : {
    uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), pid: process.pid,
    status: readFileSync('/proc/self/status', 'utf8'), env: process.env, atFirst: globalThis.atFirst
  };
  response.end(JSON.stringify(answer));
}).listen(process.env.PORT || 0);
`;

/** What the app says of itself. */
export interface Said {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly pid: number;
  readonly status: string;
  readonly env: Readonly<Record<string, string>>;
  readonly atFirst?: number;
}

/** A folder of root's that others can look into, with the app in it, and a place for the control socket. */
export function makePlace(t: TestContext): { folder: string; app: string; entry: string; socket: string } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'handover-rights-')));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  const app = join(folder, 'app');
  for (const path of [app, join(folder, 'run')]) mkdirSync(path);
  for (const path of [folder, app]) chmodSync(path, 0o755);
  chmodSync(join(folder, 'run'), 0o711);
  const entry = join(app, 'server.js');
  writeFileSync(entry, APP);
  writeFileSync(join(app, 'package.json'), '{"name":"shop"}');
  return { folder, app, entry, socket: join(folder, 'run/shop.sock') };
}
