// Ten guests talk while the chat is deployed: once with sockets that are closed one by one, and once with sockets that move.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { supervise } from 'handover';
import { WebSocket } from 'ws';

const folder = mkdtempSync(join(tmpdir(), 'handover-websocket-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Talks until it is told to leave, and comes back when its socket was closed. */
class Guest {
  closes = [];
  version = '';
  said = 0;
  #url;
  #socket;
  #isLeaving = false;

  constructor(url) {
    this.#url = url;
    this.#come();
  }

  leave() {
    this.#isLeaving = true;
    this.#socket.terminate();
  }

  #come() {
    this.#socket = new WebSocket(this.#url);
    const talk = () => this.#socket.readyState === WebSocket.OPEN && this.#socket.send('good morning');
    this.#socket.on('open', talk).on('message', (text) => {
      [, this.version, this.said] = /^version (\d+) .* the (\d+)\. of you$/.exec(text);
      setTimeout(talk, 100);
    });
    this.#socket
      .on('error', () => {})
      .on('close', (code) => {
        if (this.#isLeaving) return;
        this.closes.push(code);
        setTimeout(() => this.#come(), 50);
      });
  }
}

async function tell(title, CARRY) {
  const service = await supervise({
    entry: join(import.meta.dirname, 'server.js'),
    name: 'chat',
    listen: '127.0.0.1:0',
    env: { ...process.env, CARRY },
    upgradeSpread: '3s', // so that the story is short; the default is 30 s
    bake: 0,
    socket: join(folder, 'control.sock')
  });
  const guests = Array.from({ length: 10 }, () => new Guest(`ws://${service.addresses[0]}`));
  while (!guests.every(({ said }) => said > 3)) await delay(20);
  const { connections } = await service.reload({ env: { VERSION: '2' } });
  while (!guests.every(({ version }) => version === '2')) await delay(20);
  const fewest = Math.min(...guests.map(({ said }) => Number(said)));
  console.log(`${title}: ${JSON.stringify(connections.websocket)}`);
  console.log(`  codes the guests saw: ${JSON.stringify(guests.flatMap(({ closes }) => closes))}`);
  console.log(`  does version 2 know what they had said before? ${fewest > 3 ? 'yes' : 'no'}`);
  for (const guest of guests) guest.leave();
  await service.close();
}

await tell('an app as it is', 'no');
await tell('with carry()', 'yes');
