import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { HandoverError, systemCode } from '../errors.ts';

/** 128 bits, written as compactly as text can be: base64url. */
const FEWEST_CHARACTERS = 22;
/** What is random has more than these, in all but one of a million. */
const FEWEST_DIFFERENT = 8;
/** So many wrong tokens, or orders, in so long are enough of anybody. */
const MOST_WRONG = 10;
const MOST_ORDERS = 20;
const WINDOW_MS = 60_000;

/** Why a request is refused, with the HTTP status that says so. */
export interface Refusal {
  readonly status: 401 | 403 | 421 | 429;
  readonly why: string;
  readonly fix: string;
}

/**
 * Reads the secret by which orders may be given.
 *
 * @throws HANDOVER_ERR_OPTION_INVALID where the file cannot be read, others can read it, or it says too little
 */
export function readToken(path: string): string {
  const fail = (why: string, fix: string): never => {
    throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
      what: `adminTokenFile "${path}" is not usable`,
      why,
      fix
    });
  };
  const make = `Make one: (umask 077; openssl rand -hex 16 > ${path})`;
  let text = '';
  try {
    if ((statSync(path).mode & 0o007) !== 0) fail('everybody on this machine can read it', `chmod o= ${path}`);
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (HandoverError.is(error)) throw error;
    fail(`it cannot be read (${systemCode(error) ?? String(error)})`, make);
  }
  const isHex = /^[0-9a-f]+$/i.test(text);
  const fewest = isHex ? 32 : FEWEST_CHARACTERS;
  if (!/^[\x21-\x7e]*$/.test(text)) fail('it has more than one line, or signs that cannot be in a header', make);
  if (text.length < fewest) fail(`it has ${text.length} characters, too few for 128 bits that nobody guesses`, make);
  const different = new Set(text).size;
  if (different < FEWEST_DIFFERENT)
    fail(`it is made of ${different} different characters, too few for 128 bits that nobody guesses`, make);
  return text;
}

function readQuietly(path: string): string | null {
  try {
    return readToken(path);
  } catch {
    return null; // it was usable at the start, and somebody has changed it since
  }
}

/** Decides who may see, and who may give orders. */
export class Door {
  readonly #tokenFile: string | null;
  readonly #isUnix: boolean;
  readonly #wrong = new RateLimit(MOST_WRONG);
  readonly #orders = new RateLimit(MOST_ORDERS);

  constructor(tokenFile: string | null, isUnix: boolean) {
    this.#tokenFile = tokenFile;
    this.#isUnix = isUnix;
  }

  get takesOrders(): boolean {
    return this.#tokenFile !== null;
  }

  /**
   * Refuses a browser that was led here under another site's name: such a page could read whatever is answered.
   *
   * Names that only a DNS server gives a meaning are such; addresses, `localhost` and this machine's own name are not. What no
   * browser sent is not meant: scrapers and load balancers use names of all kinds.
   */
  refuseHost({ host = '', 'sec-fetch-site': site }: IncomingHttpHeaders, isForPeople: boolean): Refusal | null {
    if (this.#isUnix || (!isForPeople && site === undefined)) return null;
    const name = nameIn(host);
    if (isIP(name) !== 0 || name === 'localhost' || name === hostname().toLowerCase()) return null;
    return {
      status: 421,
      why: `the name "${name.slice(0, 100)}" is none of this machine's own`,
      fix: 'Open the page by an address or by localhost, for example through `ssh -L`'
    };
  }

  /** Refuses an order that comes from another site, or without the token. */
  refuseOrder(headers: IncomingHttpHeaders): Refusal | null {
    if (this.#tokenFile === null) {
      const fix = 'Start handover with --admin-token-file, or give the order with `handover`';
      return { status: 403, why: 'this page only shows: no token is set up', fix };
    }
    const { origin, host, 'sec-fetch-site': site } = headers;
    const isForeign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
    if (isForeign || (site !== undefined && site !== 'same-origin' && site !== 'none'))
      return { status: 403, why: 'the request comes from a page of another site', fix: 'Use the page of this address' };
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    const token = readQuietly(this.#tokenFile);
    if (token === null) {
      // Whoever asks is nobody yet, and is not told of files.
      return {
        status: 403,
        why: 'the token cannot be read at the moment',
        fix: 'Look at the file of --admin-token-file'
      };
    }
    if (!isSame(given, token)) {
      // Whoever has the token is never kept out by those who have not.
      if (this.#wrong.isExceeded) return tooMany('wrong tokens');
      this.#wrong.count();
      return { status: 401, why: 'the token is missing or wrong', fix: 'Send `Authorization: Bearer <token>`' };
    }
    if (this.#orders.isExceeded) return tooMany('orders');
    this.#orders.count();
    return null;
  }
}

/** Counts what happened in the last minute. */
class RateLimit {
  readonly #most: number;
  #times: number[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get isExceeded(): boolean {
    const since = performance.now() - WINDOW_MS;
    this.#times = this.#times.filter((at) => at > since);
    return this.#times.length >= this.#most;
  }

  count(): void {
    this.#times.push(performance.now());
  }
}

function tooMany(what: string): Refusal {
  return { status: 429, why: `too many ${what} in the last minute`, fix: 'Wait a minute' };
}

/** Compares in constant time, also where the lengths differ: digests are as long as each other. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

/** The name in a Host header, without port and brackets. */
function nameIn(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
