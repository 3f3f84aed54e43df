import http from 'node:http';
import type { LogLine } from '../core/log-line.ts';
import type { Status } from '../core/status.ts';
import { CODES, type ErrorCode, HandoverError, systemCode } from '../errors.ts';
import { signRequest } from './asked-by.ts';
import { type LogsOrder, writeLogsOrder } from './log-stream.ts';
import type {
  AbortDone,
  CanaryDone,
  DrainDone,
  DrainOrder,
  History,
  PromoteDone,
  ReloadDone,
  ReloadOrder,
  RetireDone,
  RollbackDone,
  RollbackOrder,
  ScaleDone,
  ServiceEvent,
  UndrainDone,
  UpgradeDone,
  UpgradeOrder
} from './routes.ts';

/** Other answers may take as long as the order does. */
const STATUS_MS = 5_000;

/** The control socket from outside: the same routes, as functions. */
export class ControlClient {
  readonly path: string;
  /** A connection for each request: none that was kept can be lost between two. */
  readonly #agent = new http.Agent();

  constructor(path: string) {
    this.path = path;
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

  canary(share: string | number): Promise<CanaryDone> {
    return this.#ask('POST', '/canary', { share }) as Promise<CanaryDone>;
  }

  scale(workers: number): Promise<ScaleDone> {
    return this.#ask('POST', '/scale', { workers }) as Promise<ScaleDone>;
  }

  drain(order: DrainOrder = {}): Promise<DrainDone> {
    return this.#ask('POST', '/drain', order) as Promise<DrainDone>;
  }

  undrain(): Promise<UndrainDone> {
    return this.#ask('POST', '/undrain', {}) as Promise<UndrainDone>;
  }

  upgrade(order: UpgradeOrder = {}): Promise<UpgradeDone> {
    return this.#ask('POST', '/upgrade', order) as Promise<UpgradeDone>;
  }

  stop(): Promise<{ ok: true }> {
    return this.#ask('POST', '/stop', {}) as Promise<{ ok: true }>;
  }

  /**
   * Follows the events of the supervisor.
   *
   * @param onOpen called when nothing can be missed any more
   */
  follow(onEvent: (event: ServiceEvent) => void, onOpen: () => void, signal: AbortSignal): Promise<void> {
    const take = (lines: readonly unknown[]) => {
      for (const line of lines) onEvent(line as ServiceEvent);
    };
    return this.#read('/events', take, onOpen, signal);
  }

  /**
   * Reads the last lines of a service, and with `follow` those that come.
   *
   * @param onLines what it returns is awaited before more is read
   * @param onOpen called when it answers
   */
  logs(
    order: LogsOrder,
    onLines: (lines: readonly LogLine[]) => void | Promise<void>,
    onOpen: () => void,
    signal: AbortSignal
  ): Promise<void> {
    const take = (lines: readonly unknown[]) => onLines(lines as readonly LogLine[]);
    return this.#read(`/logs?${writeLogsOrder(order)}`, take, onOpen, signal);
  }

  /** Reads an answer of lines of JSON. */
  async #read(
    path: string,
    onLines: (lines: readonly unknown[]) => void | Promise<void>,
    onOpen: () => void,
    signal: AbortSignal
  ): Promise<void> {
    try {
      const answer = await this.#send('GET', path, undefined, signal);
      if (answer.statusCode !== 200) throw await this.#refusalOf(answer);
      onOpen();
      let rest = '';
      for await (const chunk of answer as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        await onLines(lines.map((line) => JSON.parse(line)));
      }
    } catch (error) {
      if (!signal.aborted) throw HandoverError.is(error) ? error : this.#unreachable(error);
    }
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    let text = '';
    try {
      for await (const chunk of await this.#send(method, path, body, signal)) text += chunk;
    } catch (error) {
      throw this.#unreachable(error);
    }
    const answer = JSON.parse(text) as Answer;
    if (answer.ok !== false) return answer;
    throw toError(answer);
  }

  async #refusalOf(answer: http.IncomingMessage): Promise<HandoverError> {
    let text = '';
    for await (const chunk of answer) text += chunk;
    return toError(JSON.parse(text) as Answer);
  }

  /** @returns the answer once it begins */
  #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<http.IncomingMessage> {
    const given = body && JSON.stringify(body);
    const about = given ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(given) } : {};
    const headers = { ...about, ...(method === 'POST' ? signRequest(path) : {}) };
    const options = { socketPath: this.path, agent: this.#agent, method, path, headers, ...(signal ? { signal } : {}) };
    return new Promise((resolve, reject) => {
      const request = http.request(options, (answer) => resolve(answer.setEncoding('utf8')));
      request.on('error', (error) => reject(signal?.aborted ? signal.reason : error)).end(given);
    });
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

interface Answer {
  readonly ok?: boolean;
  readonly code?: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly active?: number | null;
}

/** What was refused, as it was told. */
function toError(answer: Answer): HandoverError {
  const code = answer.code && Object.hasOwn(CODES, answer.code) ? (answer.code as ErrorCode) : 'HANDOVER_ERR_BUG';
  return new HandoverError(code, answer, { active: answer.active ?? null });
}
