import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSocket } from '../../../src/host/listeners/inherited-socket.ts';
import { makeFolder, writeFile } from '../../support/folder.ts';

// What the system shows of a descriptor, as it was written down from a machine.

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
  10: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 02:00000A93 00000000  1000        0 51966 2 0000000000000000 20 4 30 10 -1
`;
const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  842: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 812 2 0000000000000000 0
`;
const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01    17 /run/shop/a b.sock
0000000000000000: 00000002 00000000 00010000 0001 01 25334 @/org/shop
0000000000000000: 00000003 00000000 00000000 0001 03 25335 /run/shop/a b.sock
0000000000000000: 00000002 00000000 00010000 0005 01 25336 /run/shop/packets
0000000000000000: 00000002 00000000 00000000 0002 01 25337 /run/systemd/notify
`;

function makeRoot(t: TestContext, link: string): string {
  const root = makeFolder(t, { 'net/tcp': TCP, 'net/tcp6': '  sl\n', 'net/unix': UNIX });
  writeFile(join(root, 'net/udp'), UDP);
  mkdirSync(join(root, 'fd'));
  symlinkSync(link, join(root, 'fd/3'));
  return root;
}

const CASES: Readonly<Record<string, readonly [link: string, seen: object]>> = {
  'a port that listens': ['socket:[4711]', { kind: 'listening' }],
  'a connection over TCP': ['socket:[51966]', { kind: 'idle' }],
  'a socket of UDP': ['socket:[812]', { kind: 'other', why: 'is a socket of datagrams (UDP)' }],
  'a unix socket, whose path may have spaces': ['socket:[17]', { kind: 'path', path: '/run/shop/a b.sock' }],
  'an abstract unix socket': ['socket:[25334]', { kind: 'path', path: '\0/org/shop' }],
  'a connection to a unix socket': ['socket:[25335]', { kind: 'idle' }],
  'a unix socket of packets': ['socket:[25336]', { kind: 'other', why: 'is a unix socket without a stream' }],
  'a unix socket of datagrams': ['socket:[25337]', { kind: 'other', why: 'is a unix socket without a stream' }],
  'a socket of another network namespace': ['socket:[1]', { kind: 'unknown' }],
  'a pipe': ['pipe:[99]', { kind: 'other', why: 'is no socket (pipe:[99])' }]
};

for (const [what, [link, seen]] of Object.entries(CASES)) {
  test(`${what} is told from the others`, (t) => assert.deepEqual(readSocket(3, makeRoot(t, link)), seen));
}

test('a descriptor that is not there is told, and tables that are not there say nothing', (t) => {
  const root = makeFolder(t);
  assert.deepEqual(readSocket(3, root), { kind: 'absent' });
  mkdirSync(join(root, 'fd'));
  symlinkSync('socket:[4711]', join(root, 'fd/3'));
  assert.deepEqual(readSocket(3, root), { kind: 'unknown' });
});
