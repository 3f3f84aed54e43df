// A chat room over WebSockets. Nothing in it knows about handover but the last lines, which let its sockets move.
import { createServer } from 'node:http';
import { carry } from 'handover/worker';
import { WebSocketServer } from 'ws';

const { VERSION = '1', CARRY = 'no', PORT = '3000' } = process.env;

const server = createServer((_request, response) => response.end(`chat, version ${VERSION}\n`));
const room = new WebSocketServer({ server });

room.on('connection', (guest) => {
  guest.said = 0;
  guest.on('message', (text) => {
    guest.said += 1;
    guest.send(`version ${VERSION} has heard "${text}", the ${guest.said}. of you`);
  });
});

if (CARRY === 'yes') {
  carry(room, {
    save: (guest) => ({ said: guest.said }),
    restore: (guest, { said }) => {
      guest.said = said;
    }
  });
}

server.listen(PORT);
