import { setTimeout as delay } from 'node:timers/promises';
import type { Client, Kind } from './client.ts';
import type { Connection } from './connection.ts';
import { type BodyCheck, PatternCheck, ReceiptCheck, streamText, TextCheck, uploadOf } from './content.ts';
import type { Exchange } from './exchange.ts';
import type { ClientKind } from './model.ts';

const UPLOAD_VARIANTS = 4;
const PIPELINED = 4;

/** Every kind of client, by what it does in one turn and how long it rests then. */
export const KINDS: Readonly<Record<ClientKind, Kind>> = {
  idle: { turn: getAnswer, restMs: ({ settings }) => settings.idleEveryMs },
  thinking: { turn: getAnswer, restMs: ({ settings, random }) => random.between(0, settings.thinkMaxMs) },
  busy: { turn: getAnswer, restMs: ({ settings }) => settings.busyPauseMs },
  fresh: { turn: getFresh, restMs: ({ settings }) => settings.freshPauseMs },
  slow: { turn: (client) => get(client, `/slow?ms=${client.settings.slowMs}`, answerTo), restMs: () => 0 },
  streaming: { turn: getStream, restMs: () => 0 },
  uploading: { turn: upload, restMs: () => 0 },
  pipelining: { turn: pipeline, restMs: ({ settings }) => settings.pipelinePauseMs },
  slowReader: { turn: readSlowly, restMs: () => 0 },
  halfHead: { turn: getInHalves, restMs: () => 0 }
};

const answerTo = (id: string): BodyCheck => new TextCheck(`answer to ${id}\n`);

function get(client: Client, url: string, check: (id: string) => BodyCheck): Promise<boolean> {
  const connection = client.keptConnection();
  const exchange = client.request(connection, 'GET', url, check);
  connection.write(client.head(exchange));
  return exchange.ended;
}

function getAnswer(client: Client): Promise<boolean> {
  return get(client, '/answer', answerTo);
}

function getStream(client: Client): Promise<boolean> {
  const { streamChunks, streamEveryMs } = client.settings;
  const url = `/stream?chunks=${streamChunks}&everyMs=${streamEveryMs}`;
  return get(client, url, () => new TextCheck(streamText(streamChunks)));
}

/** Every other time the server is asked to close, else the client closes after the full answer. */
async function getFresh(client: Client): Promise<boolean> {
  const connection = client.freshConnection();
  const exchange = client.request(connection, 'GET', '/answer', answerTo);
  connection.write(client.head(exchange, client.turns % 2 === 0 ? 'connection: close\r\n' : ''));
  const answered = await exchange.ended;
  connection.end();
  return answered;
}

/** In small pieces with pauses; every other time chunked. */
async function upload(client: Client): Promise<boolean> {
  const { uploadBytes, uploadPieces, uploadPauseMinMs, uploadPauseMaxMs } = client.settings;
  const chunked = client.turns % 2 === 1;
  const sending = uploadOf(uploadBytes, client.random.integer(0, UPLOAD_VARIANTS - 1));
  const connection = client.keptConnection();
  const exchange = client.request(connection, 'POST', '/upload', () => new ReceiptCheck(sending));
  exchange.written = false;
  const framing = chunked ? 'transfer-encoding: chunked' : `content-length: ${uploadBytes}`;
  connection.write(client.head(exchange, `${framing}\r\n`));
  const size = Math.max(1, Math.ceil(uploadBytes / uploadPieces));
  for (let at = 0; at < uploadBytes && !exchange.over; at += size) {
    await delay(client.random.between(uploadPauseMinMs, uploadPauseMaxMs));
    const piece = sending.body.subarray(at, at + size);
    if (exchange.over) break;
    if (chunked) connection.writeTogether([`${piece.length.toString(16)}\r\n`, piece, '\r\n']);
    else connection.write(piece);
  }
  if (chunked && !exchange.over) connection.write('0\r\n\r\n');
  exchange.written = true;
  return exchange.ended;
}

/** Four requests in one packet, or in two that meet in the middle of a head. */
async function pipeline(client: Client): Promise<boolean> {
  const { random, settings } = client;
  const connection = client.keptConnection();
  const exchanges = Array.from({ length: PIPELINED }, () => client.request(connection, 'GET', '/answer', answerTo));
  const heads = exchanges.map((exchange) => client.head(exchange));
  if (random.chance(settings.pipelineSplitShare)) {
    const which = random.integer(0, PIPELINED - 1);
    const start = heads.slice(0, which).join('').length;
    const cut = start + random.integer(1, (heads[which] ?? '').length - 1);
    await writeInHalves(connection, heads.join(''), cut, random.between(1, 5), exchanges.slice(which));
  } else connection.write(heads.join(''));
  const answered = await Promise.all(exchanges.map(({ ended }) => ended));
  return answered.every(Boolean);
}

function readSlowly(client: Client): Promise<boolean> {
  const { downloadBytes, readBytes, readPauseMs } = client.settings;
  const connection = client.keptConnection({ bytes: readBytes, pauseMs: readPauseMs });
  const url = `/download?bytes=${downloadBytes}`;
  const exchange = client.request(connection, 'GET', url, () => new PatternCheck(downloadBytes));
  connection.write(client.head(exchange));
  return exchange.ended;
}

async function getInHalves(client: Client): Promise<boolean> {
  const { random, settings } = client;
  const connection = client.keptConnection();
  const exchange = client.request(connection, 'GET', '/answer', answerTo);
  const head = client.head(exchange);
  const pauseMs = random.between(settings.halfHeadMinMs, settings.halfHeadMaxMs);
  await writeInHalves(connection, head, random.integer(1, head.length - 1), pauseMs, [exchange]);
  return exchange.ended;
}

async function writeInHalves(
  connection: Connection,
  text: string,
  cut: number,
  pauseMs: number,
  unfinished: readonly Exchange[]
): Promise<void> {
  for (const exchange of unfinished) exchange.written = false;
  connection.write(text.slice(0, cut));
  await delay(pauseMs);
  connection.write(text.slice(cut));
  for (const exchange of unfinished) exchange.written = true;
}
