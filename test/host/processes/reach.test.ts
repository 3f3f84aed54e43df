import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Reach } from '../../../src/host/processes/reach.ts';
import type { WorkerRecord } from '../../../src/host/processes/worker-record.ts';
import type { ToWorker } from '../../../src/protocol/messages.ts';
import { freePort, makeFolder } from '../../support/service.ts';
import { bind } from '../../support/worker.ts';

const LOCAL = { address: '127.0.0.1', family: 'IPv4' };

/** A worker of which only the conversation is there: it confirms what it is told to expect, unless it is busy. */
function makeReach({ busy = false, workers = 1 } = {}) {
  const said: ToWorker[] = [];
  const records: WorkerRecord[] = [];
  const reach = new Reach(() => records, 200);
  for (let index = 0; index < workers; index += 1) {
    const send = (message: ToWorker) => {
      said.push(message);
      if (message.type === 'expect' && !message.over && !busy)
        reach.onMessage(record, { type: 'expecting', port: message.port });
    };
    const record = { serving: true, process: { send } } as unknown as WorkerRecord;
    records.push(record);
  }
  const accept = ({ remotePort = 0 }: { readonly remotePort?: number | undefined }) =>
    reach.onMessage(records[0] as WorkerRecord, { type: 'expected', port: remotePort });
  return { reach, said, accept };
}

async function serve(t: TestContext, onConnection: (socket: net.Socket) => void): Promise<net.AddressInfo> {
  const server = net.createServer(onConnection).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return server.address() as net.AddressInfo;
}

for (const busy of [false, true]) {
  test(`an address is reached once a worker has accepted from the port that it was told to expect, ${busy ? 'busy' : 'or not'}`, async (t) => {
    const { reach, said, accept } = makeReach({ busy, workers: 2 });
    const address = await serve(t, (socket) => {
      assert.ok(said.some((one) => one.type === 'expect' && !one.over && one.port === socket.remotePort));
      accept(socket);
      socket.destroy();
    });
    assert.equal(await reach.explainUnreached([{ ...LOCAL, port: address.port }]), null);
    assert.equal(said.filter((one) => one.type === 'expect' && one.over).length, 2, 'and expects it no more');
  });
}

test('an address on which the kernel takes connections and no worker accepts is not reached', async (t) => {
  const bound = bind(t);
  bound.handle.listen(8);
  const why = await makeReach().reach.explainUnreached([{ ...LOCAL, port: bound.port }]);
  assert.equal(why, `a connection to 127.0.0.1:${bound.port} was not accepted in 0.2 s`);
});

for (const leaves of ['destroy', 'resetAndDestroy'] as const) {
  test(`where whoever accepted is gone before its word, it is asked again (${leaves})`, async (t) => {
    const { reach, accept } = makeReach();
    const ports = new Set<number>();
    const { port } = await serve(t, (socket) => {
      ports.add(socket.remotePort ?? 0);
      if (ports.size > 1) accept(socket);
      socket[leaves]();
    });
    assert.equal(await reach.explainUnreached([{ ...LOCAL, port }]), null);
    assert.equal(ports.size, 2);
  });
}

test('a worker that begins to accept meanwhile is told what the others were', async (t) => {
  const { reach, said } = makeReach({ workers: 0 });
  const record = { process: { send: (message: ToWorker) => void said.push(message) } } as unknown as WorkerRecord;
  let asked = 0;
  const { port } = await serve(t, ({ remotePort = 0 }) => {
    asked += 1;
    reach.onServing(record);
    assert.deepEqual(said, [{ type: 'expect', port: remotePort, over: false }]);
    reach.onMessage(record, { type: 'expected', port: remotePort });
  });
  assert.equal(await reach.explainUnreached([{ ...LOCAL, port }]), null);
  assert.equal(asked, 1);
});

test('of a unix socket a worker answers that begins to accept meanwhile', async (t) => {
  const path = join(makeFolder(t), 'app.sock');
  const server = net.createServer().listen(path);
  await once(server, 'listening');
  const { reach } = makeReach({ workers: 0 });
  const send = ({ type, port = 0 }: { type: string; port?: number }) =>
    type === 'expect' && reach.onMessage(record, { type: 'expecting', port });
  const record = { process: { send } } as unknown as WorkerRecord;
  const found = reach.explainUnreached([path]);
  reach.onServing(record);
  assert.equal(await found, null);
  server.close();
});

test('the word of a worker may come after the end of the connection', async (t) => {
  const { reach, accept } = makeReach();
  let asked = 0;
  const { port } = await serve(t, (socket) => {
    asked += 1;
    const { remotePort } = socket;
    socket.once('close', () => setImmediate(() => accept({ remotePort })));
    socket.destroy();
  });
  assert.equal(await reach.explainUnreached([{ ...LOCAL, port }]), null);
  assert.equal(asked, 1);
});

test('an address on which nobody listens is not reached, one of several is enough', async (t) => {
  const { reach, accept } = makeReach();
  const { port } = await serve(t, (socket) => accept(socket));
  const free = await freePort();
  const why = await reach.explainUnreached([
    { ...LOCAL, port },
    { ...LOCAL, port: free }
  ]);
  assert.equal(why, `127.0.0.1:${free} cannot be connected to (ECONNREFUSED)`);
});

test('a unix socket is reached while its file is there and a worker answers; no connection is made', async (t) => {
  const path = join(makeFolder(t), 'app.sock');
  const { reach } = makeReach();
  assert.equal(await reach.explainUnreached([path]), `unix:${path} cannot be connected to (ENOENT)`);
  const server = net.createServer(() => assert.fail('no app is to see a connection')).listen(path);
  await once(server, 'listening');
  assert.equal(await reach.explainUnreached([path]), null);
  const silent = await makeReach({ busy: true }).reach.explainUnreached([path]);
  assert.equal(silent, `a connection to unix:${path} was not accepted in 0.2 s`);
  server.close();
});

test('what cannot be found out is not held against the version', async () => {
  assert.equal(await makeReach().reach.explainUnreached([{ ...LOCAL, address: '192.0.2.1', port: 80 }]), null);
});
