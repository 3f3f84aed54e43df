import { Refusal, Unanswered } from './etcd-failures.ts';
import type { Counts } from './gateway.ts';

/** So long one message may be: a range of some thousand machines has about a megabyte. */
const LONGEST_BYTES = 64 * 1024 * 1024;

/** An answer whose head has come. */
interface Answered {
  readonly statusCode: number;
  readonly body: AsyncIterable<unknown> & { setEncoding(encoding: 'utf8'): unknown };
}

/** Reads an answer to its end; of one that is a stream, its first message. */
export async function readAnswer(endpoint: string, answer: Answered): Promise<unknown> {
  let text = '';
  answer.body.setEncoding('utf8');
  for await (const chunk of answer.body as AsyncIterable<string>) {
    text += chunk;
    if (text.length > LONGEST_BYTES) throw new Unanswered(endpoint, 'its answer has no end');
  }
  const [line = ''] = answer.statusCode === 200 ? text.split('\n', 1) : [text];
  return understand(endpoint, line, answer.statusCode);
}

/** Reads the messages of a stream, one after the other, as they come. */
export async function* readMessages(endpoint: string, answer: Answered, counts: Counts): AsyncGenerator<unknown, void> {
  if (answer.statusCode !== 200) {
    yield await readAnswer(endpoint, answer);
    return;
  }
  let rest = '';
  answer.body.setEncoding('utf8');
  for await (const chunk of answer.body as AsyncIterable<string>) {
    counts.bytes += Buffer.byteLength(chunk);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_BYTES) throw new Unanswered(endpoint, 'its message has no end');
    for (const line of lines) {
      if (line === '') continue;
      counts.messages += 1;
      const { result } = understand(endpoint, line, 200) as { result?: unknown };
      if (result !== undefined) yield result;
    }
  }
}

/** @throws Refusal where etcd says no; Unanswered where it cannot now, or where it is no etcd that answers */
function understand(endpoint: string, text: string, status: number): unknown {
  const answer = parse(text);
  if (answer === null) {
    // With passwords, its gateway takes no certificate with a name, and says so in plain text.
    if (/CommonName/.test(text)) throw Refusal.from(`permission denied: ${text.trim()}`);
    const seen = text.trim().slice(0, 60) || 'nothing';
    throw new Unanswered(
      endpoint,
      `it answers ${status} and ${JSON.stringify(seen)}, not as the gateway of etcd 3.4 or later does`
    );
  }
  const { error, message, code } = answer;
  const told = typeof error === 'object' && error !== null ? error : { message: message ?? error, grpc_code: code };
  if (status === 200 && told.message === undefined) return answer;
  const refusal = new Refusal(Number(told.grpc_code ?? 2), String(told.message ?? `status ${status}`));
  const neverArrived = /no leader/.test(refusal.message);
  throw refusal.isPassing ? new Unanswered(endpoint, refusal.message, { mayHaveArrived: !neverArrived }) : refusal;
}

/** As etcd 3.4 to 3.6 write it: of a stream, the failure is an object. */
interface Answer {
  readonly error?: string | { readonly grpc_code?: number; readonly message?: string };
  readonly message?: string;
  readonly code?: number;
}

function parse(text: string): Answer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null; // no etcd: the caller says what came instead
  }
}
