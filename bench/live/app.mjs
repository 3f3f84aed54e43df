// One server of the protocol that SPEAKS names: websocket (an echo), sse (events as fast as they are taken), h2c or https.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { WebSocketServer } from 'ws';

const { SPEAKS, KEY_FILE, CERT_FILE, PORT, PACKAGE } = process.env;

const answer = (_request, response) => response.end('hello');

function stream(_request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let number = 0;
  const write = () => {
    if (response.destroyed) return;
    number += 1;
    if (response.write(`id: ${number}\ndata: an event of some length, number ${number}\n\n`)) setImmediate(write);
    else response.once('drain', write);
  };
  write();
}

async function echo() {
  const server = http.createServer(answer);
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  if (PACKAGE) {
    const { carry } = await import(PACKAGE);
    carry(sockets, { save: () => null, restore: () => {} });
  }
  return server;
}

const SERVERS = {
  websocket: echo,
  sse: () => http.createServer(stream),
  http2: () => http2.createServer(answer),
  tls: () => https.createServer({ key: readFileSync(KEY_FILE), cert: readFileSync(CERT_FILE) }, answer)
};
const server = await SERVERS[SPEAKS]();
server.listen(Number(PORT), '127.0.0.1', () => console.log(server.address().port));
