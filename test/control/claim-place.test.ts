import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimPlace } from '../../src/control/claim-place.ts';
import { isAnswered } from '../../src/host/unix.ts';
import { atEnd } from '../support/end.ts';
import { makeFolder } from '../support/folder.ts';

const LEAVES_ONE =
  "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";

test('of supervisors that start together over the socket of a killed one, exactly one has its place', async (t) => {
  const folder = makeFolder(t);
  const place = join(folder, 'place');
  for (let round = 0; round < 10; round += 1) {
    spawnSync(process.execPath, ['-e', LEAVES_ONE, place]);
    assert.equal(await isAnswered(place), false);
    const servers = await Promise.all([0, 1, 2, 3].map((number) => listenAt(join(folder, `own-${number}`))));
    atEnd(t, () => {
      for (const server of servers) server.close();
    });
    const claimed = await Promise.all(
      servers.map((_, number) => claimPlace(join(folder, `own-${number}`), place, () => false))
    );

    assert.equal(claimed.filter((isOurs) => isOurs).length, 1);
    assert.equal(await isAnswered(place), true);
    for (const server of servers) server.close();
    assert.deepEqual(readdirSync(folder), ['place']);
    rmSync(place);
  }
});

function listenAt(path: string) {
  return new Promise<ReturnType<typeof createServer>>((done) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(path, () => done(server));
  });
}
