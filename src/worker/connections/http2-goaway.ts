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
 * Once either side has said goodbye and no stream is open, nghttp2 hears nothing more, not even a stream that was sent before
 * its client knew (which is then refused). So it is said while a stream is open, which is kept from ending until the pong is
 * there; to a session that has been without one for a second, at once.
 *
 * @param socket the real one, where the session runs over TCP: there nghttp2 need not know of the first frame
 * @param streams the open ones
 * @param lastStreamAt `performance.now()` when the last one began
 */
export function tellToGoAway(
  session: ServerHttp2Session,
  socket: net.Socket | null,
  streams: ReadonlySet<ServerHttp2Stream>,
  lastStreamAt: number
): void {
  const begin = (release: () => void) => {
    if (session.destroyed) return;
    deferClose(session);
    if (socket) socket.write(GOAWAY);
    else session.goaway(NO_ERROR, LAST_OF_ALL);
    // A ping overtakes other frames.
    setImmediate(() => closeAfterPing(session, release));
  };
  const open = [...streams].find((stream) => !stream.writableEnded && !stream.destroyed);
  if (open) return begin(holdEnd(open));
  const onStream = (stream: ServerHttp2Stream) => {
    clearTimeout(idle);
    begin(holdEnd(stream));
  };
  const onIdle = () => {
    session.off('stream', onStream);
    begin(() => {});
  };
  const idle = setTimeout(onIdle, Math.max(0, lastStreamAt + PATIENCE_MS - performance.now()));
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
