/** The second argument of `write` may be its callback. */
export function readEncoding(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8';
}

/** Does as if something had been written. */
export function ignore(encoding: unknown, callback: unknown): true {
  const done = typeof encoding === 'function' ? encoding : callback;
  if (typeof done === 'function') process.nextTick(done as () => void);
  return true;
}
