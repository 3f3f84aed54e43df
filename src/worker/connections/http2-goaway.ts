import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';

/** "I take no stream above this one", for a client that may have sent some: none is refused. @source RFC 9113, section 6.8 */
const LAST_OF_ALL = 2 ** 31 - 1;
const NO_ERROR = 0;
/** How long a client may take to answer a ping, and a session without streams is waited for to have one. */
const PATIENCE_MS = 1_000;

/**
 * Tells the client of a session to begin its next stream elsewhere, so that no stream is refused: first that no further ones
 * are taken; then, a ping's round trip later, up to which one they were.
 *
 * From the first on, nghttp2 hears nothing more once no stream is open, not even one that was sent before the client knew
 * (which is then refused). So over TCP, nghttp2 is not told of the first frame. Over TLS, where nobody else may write, a stream
 * is kept from ending until the pong is there; a session that has been without one for a second is told at once.
 *
 * @param socket the real one, where the session runs over TCP
 * @param streams the open ones
 */
export function tellToGoAway(
  session: ServerHttp2Session,
  socket: net.Socket | null,
  streams: ReadonlySet<ServerHttp2Stream>,
  lastStreamAt: number
): void {
  deferClose(session);
  if (socket) {
    socket.write(GOAWAY);
    return closeAfterPing(session, () => {});
  }
  const begin = (stream: ServerHttp2Stream) => {
    session.goaway(NO_ERROR, LAST_OF_ALL);
    const release = holdEnd(stream);
    // A ping overtakes other frames.
    setImmediate(() => closeAfterPing(session, release));
  };
  const open = [...streams].find((stream) => !stream.writableEnded && !stream.destroyed);
  if (open) return begin(open);
  const leftMs = lastStreamAt + PATIENCE_MS - performance.now();
  const onStream = (stream: ServerHttp2Stream) => {
    clearTimeout(idle);
    begin(stream);
  };
  const idle = setTimeout(
    () => {
      session.off('stream', onStream);
      if (session.destroyed) return;
      session.goaway(NO_ERROR, LAST_OF_ALL);
      setTimeout(() => closeNow(session), PATIENCE_MS).unref();
    },
    Math.max(0, leftMs)
  );
  idle.unref();
  session.prependOnceListener('stream', onStream);
}

/** A frame that says so, for a connection that nobody else writes to in the middle of a frame. */
const GOAWAY = (() => {
  const frame = Buffer.alloc(17);
  frame.writeUInt8(8, 2); // bytes that follow the head
  frame.writeUInt8(7, 3); // its type
  frame.writeUInt32BE(LAST_OF_ALL, 9);
  return frame;
})();

function closeAfterPing(session: ServerHttp2Session, done: () => void): void {
  let isOver = false;
  const close = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(overdue);
    // Streams that came with the pong are begun before.
    setImmediate(() => {
      closeNow(session);
      done();
    });
  };
  const overdue = setTimeout(close, PATIENCE_MS);
  overdue.unref();
  session.once('close', close);
  try {
    if (!session.ping(close)) close();
  } catch {
    close(); // a session that ends just now cannot be asked
  }
}

/**
 * A client that hears of it says goodbye too, and what it sends in the same moment may come after that: a session that is
 * closed then, as Node does, would refuse it.
 */
function deferClose(session: ServerHttp2Session): void {
  session.close = () => {};
}

function closeNow(session: ServerHttp2Session): void {
  Reflect.deleteProperty(session, 'close');
  if (!session.destroyed) session.close();
}

/** Keeps an answer from being over. @returns a function that lets it */
function holdEnd(stream: ServerHttp2Stream): () => void {
  const { _final: final } = stream;
  let isHeld = true;
  let later: (() => void) | null = null;
  stream._final = (callback) => {
    if (isHeld) later = () => final.call(stream, callback);
    else final.call(stream, callback);
  };
  return () => {
    isHeld = false;
    later?.();
  };
}
