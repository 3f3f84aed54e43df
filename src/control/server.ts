import { chmodSync, renameSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { CODES, describeFailure, HandoverError, systemCode } from '../errors.ts';
import { inodeOf, LONGEST_PATH_BYTES, removeQuietly } from '../host/unix.ts';
import { readAskedBy } from './asked-by.ts';
import { claimPlace } from './claim-place.ts';
import { createRouter, type Operator } from './routes.ts';
import { badRequest, explainSystem } from './socket-errors.ts';
import { prepareSocketFolder, socketPath } from './socket-path.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const HEAD_LIMIT_BYTES = 8 * 1024;
/** How long a client may take over its request; an answer may take as long as the order does. */
const REQUEST_MS = 5_000;
/** How long a conversation may go on when the supervisor has ended. */
const LAST_ANSWER_MS = 200;
/** How many sockets this process has made: several services of one process may have theirs in one folder, and start together. */
let made = 0;

/** The operators' door: HTTP/1.1 on a unix socket that only this user can open. */
export class ControlServer {
  readonly path: string;
  readonly #create: () => Server;
  /** Whether whoever has the socket cannot answer, and will not for now: it was stopped. */
  readonly #isHolderStopped: () => boolean;
  #server: Server;
  /** The file of our socket; null while we have none. */
  #ino: number | null = null;

  constructor(path: string, operator: Operator, isHolderStopped: () => boolean = () => false) {
    this.path = path;
    this.#isHolderStopped = isHolderStopped;
    const find = createRouter();
    const options = {
      maxHeaderSize: HEAD_LIMIT_BYTES,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000
    };
    this.#create = () =>
      createServer(options, (request, response) => {
        void handle(operator, find, request, response);
      }).on('clientError', (error, socket) => refuse(error, socket, operator.active()));
    this.#server = this.#create();
  }

  /** Whether our socket is where it should be, nothing is there, or another supervisor's. */
  get place(): 'ours' | 'gone' | 'taken' {
    const found = inodeOf(this.path);
    if (found === null) return 'gone';
    return found === this.#ino ? 'ours' : 'taken';
  }

  /**
   * Takes the place, unless another supervisor answers there.
   *
   * @throws HANDOVER_ERR_REFUSED_NAME_TAKEN, HANDOVER_ERR_CONTROL_SOCKET
   */
  open(name: string): Promise<void> {
    return this.#make(async (own) => {
      if (!(await claimPlace(own, this.path, this.#isHolderStopped))) throw this.#taken(name);
      this.#ino = inodeOf(own);
    });
  }

  /** Takes the place of whoever has it: in one step, so that somebody answers at every moment. */
  takeOver(): Promise<void> {
    return this.#make(async (own) => {
      this.#ino = inodeOf(own);
      renameSync(own, this.path);
    });
  }

  /** Makes the socket anew whose file is gone, or another's that has given up. What is open stays open. */
  async restore(): Promise<void> {
    const before = this.#server;
    this.#server = this.#create();
    await this.takeOver().catch(() => {}); // its folder cannot be made at the moment: it is tried again
    before.close();
  }

  async #make(claim: (own: string) => Promise<void>): Promise<void> {
    made += 1;
    // Not much longer than any name: a path that is just short enough must be so with this, too.
    const own = join(dirname(this.path), `.${process.pid.toString(36)}-${made.toString(36)}`);
    try {
      const bytes = Buffer.byteLength(this.path);
      if (bytes > LONGEST_PATH_BYTES)
        throw new Error(`the path has ${bytes} bytes, and a unix socket may have ${LONGEST_PATH_BYTES}`);
      prepareSocketFolder(dirname(this.path));
      removeQuietly(own); // of a process that was killed and had our number
      await listen(this.#server, own);
      chmodSync(own, 0o600);
      await claim(own);
    } catch (error) {
      this.#server.close();
      if (HandoverError.is(error)) throw error;
      throw new HandoverError(
        'HANDOVER_ERR_CONTROL_SOCKET',
        {
          what: `Cannot make the control socket ${this.path}`,
          why: explainSystem(error),
          fix: 'Give another place with --socket, or another XDG_RUNTIME_DIR'
        },
        { cause: error }
      );
    } finally {
      removeQuietly(own);
    }
  }

  /** Ends every conversation and removes the socket, if it is still ours. */
  close(): void {
    this.removeFile();
    this.#server.close();
    this.#server.closeIdleConnections();
    // The answer to the order to stop may still be on its way.
    setTimeout(() => this.#server.closeAllConnections(), LAST_ANSWER_MS).unref();
  }

  /** Removes the socket alone: all that a process can still do in its last moment. */
  removeFile(): void {
    if (this.place === 'ours') removeQuietly(this.path);
    this.#ino = null;
  }

  #taken(name: string): HandoverError {
    const second = this.path === socketPath(name) ? '--name' : 'another --socket';
    return new HandoverError('HANDOVER_ERR_REFUSED_NAME_TAKEN', {
      what: `Cannot start a supervisor called "${name}"`,
      why: `another one answers on ${this.path}`,
      fix: `Use \`handover reload\` to deploy to it, \`handover stop\` to end it, or ${second} for a second one`
    });
  }
}

async function handle(
  operator: Operator,
  find: ReturnType<typeof createRouter>,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  try {
    const route = find(request);
    const body = await readBody(request);
    const answer = await route(operator.as(readAskedBy(request)), body, response, queryOf(request));
    if (answer !== undefined) respond(response, 200, answer);
  } catch (error) {
    const known = HandoverError.from(error);
    respond(response, CODES[known.code].status, {
      ...describeFailure(known),
      active: known.active ?? operator.active()
    });
  }
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at));
}

const REFUSALS: Record<string, readonly [status: string, what: string, why: string]> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'The request is too large',
    `its head has more than ${HEAD_LIMIT_BYTES} bytes`
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'The request took too long',
    `it was not complete after ${REQUEST_MS} ms`
  ]
};

/** Answers what never became a request: garbage, oversize and slow ones. */
function refuse(error: Error, socket: Duplex, active: number | null): void {
  const code = systemCode(error) ?? 'it cannot be read';
  const [status, what, why] = REFUSALS[code] ?? ['400 Bad Request', 'The request is not HTTP', code];
  const body = JSON.stringify({ ...describeFailure(badRequest(what, why)), active });
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}`;
  if (socket.writable) socket.end(`${head}\r\n\r\n${body}`);
  else socket.destroy();
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) {
      throw new HandoverError('HANDOVER_ERR_CONTROL_TOO_LARGE', {
        what: 'The request is too large',
        why: `its body has more than ${BODY_LIMIT_BYTES} bytes`,
        fix: 'Send only what the route needs'
      });
    }
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw badRequest('The body of the request is not usable', 'it is not JSON');
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    // Nobody else may connect between bind and chmod, wherever the socket is.
    const mask = process.umask(0o177);
    server.listen({ path, exclusive: true }, () => {
      server.off('error', fail);
      done();
    });
    process.umask(mask);
  });
}
