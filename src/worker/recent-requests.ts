/** What was asked for so long ago says nothing of now. */
const RECENT_MS = 60_000;
/** How many are told, and how many are remembered. */
const TOLD = 20;
const MOST = 500;
/** A longer one is not worth its memory. */
const LONGEST = 2_000;

/** What a request asked for, as Node and routers keep it. */
export interface Asked {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly originalUrl?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What a request is for. Some routers take the part of the path off that they have followed, and keep the whole one. */
export function targetOf({ url = '', originalUrl }: Asked): string {
  return typeof originalUrl === 'string' ? originalUrl : url;
}

/** Which requests could be made again by anybody, without changing anything: what a new version is warmed up with. */
export class RecentRequests {
  readonly #known = new Map<string, { count: number; at: number }>();

  /** A request was answered with 2xx. */
  add(request: Asked): void {
    const { method, headers = {} } = request;
    if (method !== 'GET' && method !== 'HEAD') return;
    if (headers.cookie !== undefined || headers.authorization !== undefined) return;
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return;
    const target = targetOf(request);
    if (!target.startsWith('/') || target.length > LONGEST) return;
    const key = `${method} ${target}`;
    const { count } = this.#known.get(key) ?? { count: 0 };
    this.#known.delete(key); // so that the first one is the one not asked for the longest
    this.#known.set(key, { count: count + 1, at: performance.now() });
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value ?? '');
  }

  /** Those of the last minute, as `GET /path`, the most frequent first. */
  list(): string[] {
    const since = performance.now() - RECENT_MS;
    return [...this.#known]
      .filter(([, { at }]) => at >= since)
      .sort(([, one], [, other]) => other.count - one.count)
      .slice(0, TOLD)
      .map(([request]) => request);
  }
}
