import type { Pool } from 'undici';
import type { Status } from '../core/status.ts';
import { CODES, type ErrorCode, HandoverError, systemCode } from '../errors.ts';
import type {
  AbortDone,
  History,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone,
  ServiceEvent
} from './routes.ts';

/** How long a supervisor may take to take a connection. Answers may take as long as the order does. */
const CONNECT_MS = 3_000;
const STATUS_MS = 5_000;

/** The control socket from outside: the same routes, as functions. */
export class ControlClient {
  readonly path: string;
  readonly #client: Promise<Pool>;

  constructor(path: string) {
    this.path = path;
    this.#client = open(path);
  }

  status(): Promise<Status> {
    return this.#ask('GET', '/status', undefined, AbortSignal.timeout(STATUS_MS)) as Promise<Status>;
  }

  history(): Promise<History> {
    return this.#ask('GET', '/history', undefined, AbortSignal.timeout(STATUS_MS)) as Promise<History>;
  }

  reload(order: ReloadOrder = {}): Promise<ReloadDone> {
    return this.#ask('POST', '/reload', order) as Promise<ReloadDone>;
  }

  rollback(order: RollbackOrder = {}): Promise<RollbackDone> {
    return this.#ask('POST', '/rollback', order) as Promise<RollbackDone>;
  }

  promote(): Promise<PromoteDone> {
    return this.#ask('POST', '/promote', {}) as Promise<PromoteDone>;
  }

  abort(): Promise<AbortDone> {
    return this.#ask('POST', '/abort', {}) as Promise<AbortDone>;
  }

  retire(): Promise<RetireDone> {
    return this.#ask('POST', '/retire', {}) as Promise<RetireDone>;
  }

  scale(workers: number): Promise<ScaleDone> {
    return this.#ask('POST', '/scale', { workers }) as Promise<ScaleDone>;
  }

  stop(): Promise<{ ok: true }> {
    return this.#ask('POST', '/stop', {}) as Promise<{ ok: true }>;
  }

  /**
   * Follows the events of the supervisor.
   *
   * @param onOpen called when nothing can be missed any more
   */
  async follow(onEvent: (event: ServiceEvent) => void, onOpen: () => void, signal: AbortSignal): Promise<void> {
    try {
      const { body } = await (await this.#client).request({ method: 'GET', path: '/events', signal });
      onOpen();
      let rest = '';
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEvent(JSON.parse(line) as ServiceEvent);
      }
    } catch (error) {
      if (!signal.aborted) throw this.#unreachable(error);
    }
  }

  async close(): Promise<void> {
    await (await this.#client).destroy();
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const headers = body ? { 'content-type': 'application/json' } : {};
    let text: string;
    try {
      const sent = { method, path, headers, body: body ? JSON.stringify(body) : null, ...(signal ? { signal } : {}) };
      const { body: answer } = await (await this.#client).request(sent);
      text = await answer.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    const answer = JSON.parse(text) as {
      ok?: boolean;
      code?: string;
      what: string;
      why: string;
      fix: string;
      active?: number | null;
    };
    if (answer.ok !== false) return answer;
    const code = answer.code && Object.hasOwn(CODES, answer.code) ? (answer.code as ErrorCode) : 'HANDOVER_ERR_BUG';
    throw new HandoverError(code, answer, { active: answer.active ?? null });
  }

  #unreachable(error: unknown): HandoverError {
    const reason = systemCode(error) ?? String(error);
    const absent = reason === 'ENOENT' || reason === 'ECONNREFUSED';
    const foreign = reason === 'EACCES';
    const why = foreign ? `this user may not connect to ${this.path} (EACCES)` : `nobody answers on ${this.path}`;
    return new HandoverError(
      'HANDOVER_ERR_CONTROL_UNREACHABLE',
      {
        what: 'Cannot reach the supervisor',
        why: absent || foreign ? why : `the conversation on ${this.path} broke off (${reason})`,
        fix: foreign
          ? 'Give the order as the user who started it: `sudo -u <user> handover …`'
          : 'See `handover list` for those of this user that run, or start one with `handover run`'
      },
      { cause: error }
    );
  }
}

/** Loaded by who asks, not by the command that becomes the supervisor: a third of its memory otherwise. */
async function open(socketPath: string): Promise<Pool> {
  const { Pool } = await import('undici');
  return new Pool('http://handover', {
    socketPath,
    connectTimeout: CONNECT_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1
  });
}
