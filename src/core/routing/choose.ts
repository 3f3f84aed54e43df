import type { By, Condition } from './plan.ts';

/** Which of two generations answers which requests. */
export interface Shares {
  readonly active: number;
  readonly canary: number;
  /** What part of the requests, or of those who ask, the canary gets: 0-1. */
  readonly share: number;
  readonly by: By;
  readonly always: readonly Condition[];
  readonly never: readonly Condition[];
  /** What makes another deploy draw other users. */
  readonly salt: string;
}

/** What clients may say to be answered by the version that they know. */
export interface Pins {
  readonly by: readonly By[];
  /** The generation of each label. */
  readonly generations: Readonly<Record<string, number>>;
}

/** Paths under which a version that answers 404 is not the last one to be asked. */
export interface OldAssets {
  readonly paths: readonly string[];
  /** The generation that is asked then. */
  readonly generation: number;
}

/** By what requests find who answers them. The same in every worker, so that none has to ask another. */
export interface Routing {
  readonly shares: Shares | null;
  readonly pins: Pins | null;
  readonly oldAssets: OldAssets | null;
}

/** What is read of a request to choose. */
export interface Asked {
  /** As Node gives them: names in lower case, several cookies joined by `; `. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly url: string;
  /** The address of the client; undefined where it has none. */
  readonly address: string | undefined;
  /** What was drawn for its connection, 0-1. */
  readonly lot: number;
  /** What was drawn for this request alone, 0-1. */
  readonly chance: number;
}

/** @returns the number of the generation that a client names; null where it names none */
export function choosePinned({ pins }: Pick<Routing, 'pins'>, asked: Asked): number | null {
  for (const by of pins?.by ?? []) {
    const label = readValue(by, asked);
    const generation = label === undefined ? undefined : pins?.generations[label];
    if (generation !== undefined) return generation;
  }
  return null;
}

/** Whether a request asks for something under one of these paths, and only asks. */
export function isUnder(paths: readonly string[], method = '', url = ''): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const path = url.split('?', 1)[0] ?? '';
  return paths.some((one) => path === one || path.startsWith(one.endsWith('/') ? one : `${one}/`));
}

/** @returns the number of the generation that is to answer */
export function chooseGeneration(shares: Shares, asked: Asked): number {
  const { active, canary, share, always, never } = shares;
  if (never.length > 0 && never.some((one) => holds(one, asked))) return active;
  if (always.length > 0 && always.some((one) => holds(one, asked))) return canary;
  if (share <= 0) return active;
  if (share >= 1) return canary;
  return positionOf(shares, asked) < share ? canary : active;
}

/**
 * The same for a connection of which nothing has been read.
 *
 * @param address of its client
 */
export function chooseUnread(shares: Shares, address: string | undefined, lot: number): number {
  const asked = { headers: {}, url: '', address, lot, chance: lot };
  return chooseGeneration({ ...shares, always: [], never: [] }, asked);
}

/** Where whoever asks stands between 0 and 1: who is below a share is below every larger one too. */
function positionOf({ by, salt }: Shares, asked: Asked): number {
  if (by.kind === 'random') return asked.chance;
  const value = readValue(by, asked);
  return value === undefined ? asked.lot : hash(`${salt} ${value}`);
}

/** What a request says of who asks; undefined where it says nothing. */
export function readValue(by: By, asked: Pick<Asked, 'headers' | 'url' | 'address'>): string | undefined {
  switch (by.kind) {
    case 'ip':
      // Only here: whoever is asked for it may have to ask the system.
      return by.header === null ? asked.address : firstOf(textOf(asked.headers[by.header]), ',');
    case 'cookie':
    case 'header':
    case 'query':
      return readField(by, asked.headers, asked.url);
    default:
      return undefined;
  }
}

/** What a request says in a cookie, a header or a field of its query; undefined where it says nothing. */
function readField(
  { kind, name }: Pick<Condition, 'kind' | 'name'>,
  headers: Asked['headers'],
  url: string
): string | undefined {
  const said =
    kind === 'header'
      ? textOf(headers[name])
      : kind === 'cookie'
        ? findPair(textOf(headers.cookie), name, ';')
        : findPair(url.slice(url.indexOf('?') + 1 || url.length), name, '&');
  return said === '' ? undefined : said;
}

function holds({ kind, name, value }: Condition, { headers, url }: Asked): boolean {
  const said = readField({ kind, name }, headers, url);
  return said !== undefined && (value === null || said === value);
}

function textOf(given: string | readonly string[] | undefined): string | undefined {
  return typeof given === 'object' ? given.join(', ') : given;
}

function firstOf(text: string | undefined, separator: string): string | undefined {
  return text?.split(separator, 1)[0]?.trim() || undefined;
}

/** The value of a name in a list such as `a=1; b=2`. */
function findPair(text: string | undefined, name: string, separator: string): string | undefined {
  for (let from = 0; text !== undefined && from < text.length; ) {
    const end = text.indexOf(separator, from);
    const to = end < 0 ? text.length : end;
    const at = text.indexOf('=', from);
    if (at >= 0 && at < to && text.slice(from, at).trim() === name) return unquote(text.slice(at + 1, to).trim());
    from = to + 1;
  }
  return undefined;
}

function unquote(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** @returns 0-1, evenly, and the same for the same text in every process: FNV-1a, mixed as MurmurHash3 ends */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 32;
}
