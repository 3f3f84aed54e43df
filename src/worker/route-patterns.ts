/** The route of all that has none of its own. */
const OTHER = 'other';
/** How many routes are told apart, and how many paths are remembered with theirs. */
const MOST_ROUTES = 40;
const MOST_PATHS = 1_000;

/** Longer parts of a path are ids, or somebody's words. */
const LONGEST_NAME = 24;
/** With a digit in it, a part that is so long is an id or a hash; shorter ones are `v2` or `oauth2`. */
const ID_LENGTH = 8;
const FOLDED = '…';

/**
 * Finds the route that a request is for: its method and the pattern of its path, with `…` for numbers, ids and hashes.
 * Never a query.
 *
 * An app has some dozens of routes, a stranger who tries paths has any number of them, and is answered 4xx: only what is
 * answered otherwise becomes a route, and from the fortieth on all is `other`.
 */
export class Routes<T> {
  readonly #create: () => T;
  readonly #routes = new Map<string, T>();
  #paths = new Map<string, Map<string, T>>();
  #known = 0;

  constructor(create: () => T) {
    this.#create = create;
  }

  find(method: string, url: string, status: number): T {
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    const found = this.#paths.get(method)?.get(path);
    if (found) return found;
    const pattern = foldPath(path);
    const name = `${method} ${pattern}`;
    const route = this.#routes.get(name) ?? this.#add(name, status);
    // Ids are each asked for once or twice: to remember them would cost more than to fold them again.
    if (route && pattern === path) this.#remember(method, path, route);
    return route ?? this.#routes.get(OTHER) ?? this.#open(OTHER);
  }

  entries(): IterableIterator<[string, T]> {
    return this.#routes.entries();
  }

  #add(name: string, status: number): T | null {
    const isStray = status >= 400 && status < 500;
    return isStray || this.#routes.size >= MOST_ROUTES ? null : this.#open(name);
  }

  #open(name: string): T {
    const route = this.#create();
    this.#routes.set(name, route);
    return route;
  }

  #remember(method: string, path: string, route: T): void {
    if (this.#known >= MOST_PATHS) {
      this.#paths = new Map();
      this.#known = 0;
    }
    this.#known += 1;
    const known = this.#paths.get(method);
    if (known) known.set(path, route);
    else this.#paths.set(method, new Map([[path, route]]));
  }
}

/** Writes the pattern of a path: `/orders/4711/lines` is `/orders/…/lines`, `/assets/app.3f9c21ab.js` is `/assets/….js`. */
export function foldPath(path: string): string {
  let folded = '';
  let from = 0;
  let [digits, odd] = [0, false];
  for (let at = 0; at <= path.length; at += 1) {
    const code = at === path.length ? SLASH : path.charCodeAt(at);
    if (code === SLASH) {
      const part = path.slice(from, at);
      folded += isName(part.length, digits, odd) ? part : `${FOLDED}${endingOf(part)}`;
      if (at < path.length) folded += '/';
      from = at + 1;
      digits = 0;
      odd = false;
    } else if (code >= ZERO && code <= NINE) digits += 1;
    else if (code === PERCENT || code === AT || code > ASCII) odd = true;
  }
  return folded;
}

const [SLASH, ZERO, NINE, PERCENT, AT, ASCII] = [0x2f, 0x30, 0x39, 0x25, 0x40, 0x7e];

function isName(length: number, digits: number, odd: boolean): boolean {
  if (length === 0) return true;
  return !odd && digits < length && (digits === 0 || length < ID_LENGTH) && length <= LONGEST_NAME;
}

/** The ending of a file, which says what kind it is. */
function endingOf(part: string): string {
  return /\.[a-z]{1,5}$/i.exec(part)?.[0] ?? '';
}
