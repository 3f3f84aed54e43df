import { OTHER_ROUTES } from '../core/verdict/histogram.ts';

/** How many routes are told apart, and how many paths and patterns are remembered with theirs. */
const MOST_ROUTES = 100;
const MOST_PATHS = 1_000;
/** A longer pattern is cut there: strangers make it. */
const LONGEST_PATTERN = 200;

/** How often a path has to be asked for that is always answered 4xx, before it is a route: a new version may break it. */
const STRAY_TRIES = 10;
const MOST_STRAYS = 200;
/** Strangers leave room for the routes of the app. */
const MOST_STRAY_ROUTES = MOST_ROUTES / 2;

/** Below the first part, names that have so many siblings are somebody's words: titles, users, tags. */
const MOST_SIBLINGS = 30;
const MOST_PARENTS = 500;

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
 * answered otherwise becomes a route, or is asked for again and again, and from the hundredth on all is `other`.
 */
export class Routes<T> {
  readonly #create: () => T;
  readonly #routes = new Map<string, T>();
  #paths = new Map<string, Map<string, T>>();
  #known = 0;
  #strays = new Map<string, number>();
  /** The names below each parent; null where there are too many to be names. */
  readonly #siblings = new Map<string, Set<string> | null>();

  constructor(create: () => T) {
    this.#create = create;
  }

  find(method: string, url: string, status: number): T {
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    const known = this.#paths.get(method);
    const found = known?.get(path);
    if (found) return found;
    const pattern = foldPath(path);
    const same = pattern === path ? undefined : known?.get(pattern);
    if (same) return same;
    const name = `${method} ${this.#foldSiblings(pattern, status)}`;
    const route = this.#routes.get(name) ?? this.#add(name, status);
    // Ids are each asked for once or twice: it is their pattern that is remembered.
    if (route) this.#remember(method, pattern, route);
    return route ?? this.#routes.get(OTHER_ROUTES) ?? this.#open(OTHER_ROUTES);
  }

  /** Folds each part that has many siblings: `/blog/how-to-sell-tea` is `/blog/…` once there are many of its kind. */
  #foldSiblings(pattern: string, status: number): string {
    let parent = pattern.indexOf('/', 1);
    if (parent < 0) return pattern;
    let folded = pattern.slice(0, parent);
    while (parent >= 0) {
      const next = pattern.indexOf('/', parent + 1);
      const name = pattern.slice(parent + 1, next < 0 ? pattern.length : next);
      folded += `/${this.#isOneOfMany(folded, name, status) ? FOLDED : name}`;
      parent = next;
    }
    return folded;
  }

  #isOneOfMany(parent: string, name: string, status: number): boolean {
    if (name === '' || name.includes(FOLDED)) return false;
    const siblings = this.#siblings.get(parent);
    if (siblings === null) return true;
    // What is not there has no siblings.
    if (siblings?.has(name) || isRefused(status)) return false;
    if (siblings === undefined) {
      if (this.#siblings.size < MOST_PARENTS) this.#siblings.set(parent, new Set([name]));
      return false;
    }
    siblings.add(name);
    if (siblings.size <= MOST_SIBLINGS) return false;
    this.#siblings.set(parent, null);
    this.#paths = new Map(); // those known so far have their own routes, which are asked for no more
    this.#known = 0;
    return true;
  }

  entries(): IterableIterator<[string, T]> {
    return this.#routes.entries();
  }

  #add(name: string, status: number): T | null {
    const isStray = isRefused(status) && !this.#isWanted(name);
    return isStray || this.#routes.size >= MOST_ROUTES ? null : this.#open(name);
  }

  #isWanted(name: string): boolean {
    if (this.#routes.size >= MOST_STRAY_ROUTES) return false;
    if (this.#strays.size >= MOST_STRAYS) this.#strays = new Map();
    const tries = (this.#strays.get(name) ?? 0) + 1;
    this.#strays.set(name, tries);
    return tries >= STRAY_TRIES;
  }

  #open(name: string): T {
    const route = this.#create();
    this.#routes.set(name, route);
    return route;
  }

  #remember(method: string, pattern: string, route: T): void {
    if (this.#known >= MOST_PATHS) {
      this.#paths = new Map();
      this.#known = 0;
    }
    this.#known += 1;
    const known = this.#paths.get(method);
    if (known) known.set(pattern, route);
    else this.#paths.set(method, new Map([[pattern, route]]));
  }
}

function isRefused(status: number): boolean {
  return status >= 400 && status < 500;
}

/** Writes the pattern of a path: `/orders/4711/lines` is `/orders/…/lines`, `/assets/app.3f9c21ab.js` is `/assets/….js`. */
export function foldPath(target: string): string {
  const path = target.charCodeAt(0) === SLASH ? target : withoutOrigin(target);
  let folded = '';
  let from = 0;
  let [digits, runs, odd] = [0, 0, false];
  for (let at = 0; at <= path.length; at += 1) {
    const code = at === path.length ? SLASH : path.charCodeAt(at);
    if (code === SLASH) {
      const part = path.slice(from, at);
      folded += isName(part, digits, runs, odd) ? part : `${FOLDED}${endingOf(part)}`;
      if (folded.length > LONGEST_PATTERN) return `${folded.slice(0, LONGEST_PATTERN)}${FOLDED}`;
      if (at < path.length) folded += '/';
      from = at + 1;
      [digits, runs, odd] = [0, 0, false];
    } else if (code >= ZERO && code <= NINE) {
      digits += 1;
      if (at === from || !isDigit(path.charCodeAt(at - 1))) runs += 1;
    } else if (code < FIRST || code > LAST || ODD.has(code)) odd = true;
  }
  return folded;
}

const [SLASH, ZERO, NINE] = [0x2f, 0x30, 0x39];
/** What a name does not have: escapes, addresses, parameters, and signs that a terminal could obey. */
const [FIRST, LAST, ODD] = [0x21, 0x7e, new Set([...'%@;=,&'].map((sign) => sign.charCodeAt(0)))];

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** What a request asks a proxy for begins with the origin. */
function withoutOrigin(target: string): string {
  const scheme = target.indexOf('://');
  if (scheme < 0) return target;
  const path = target.indexOf('/', scheme + 3);
  return path < 0 ? '/' : target.slice(path);
}

/** Digits in two places are a short id (`x7Fz2`) or a date, but `v1.2` is the version of an API. */
function isName(part: string, digits: number, runs: number, odd: boolean): boolean {
  if (odd || part.length > LONGEST_NAME) return false;
  if (digits === 0) return true;
  return digits < part.length && part.length < ID_LENGTH && (runs < 2 || /^v[\d.]+$/i.test(part));
}

/** The ending of a file, which says what kind it is. */
function endingOf(part: string): string {
  return /\.[a-z]{1,5}$/i.exec(part)?.[0] ?? '';
}
