import { type ErrorCode, HandoverError, systemCode } from '../../errors.ts';

/** The numbers of gRPC that matter here. */
const GRPC = { invalid: 3, late: 4, notFound: 5, denied: 7, unavailable: 14, unauthenticated: 16 };

/** What was never connected has not been sent. */
const BEFORE_SENDING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_\w+|ERR_SSL_\w+|\w*CERT\w*|EPROTO|UNABLE_TO_\w+)$/;

/** An endpoint that did not answer: another one may, or the same one later. */
export class Unanswered extends Error {
  readonly endpoint: string;
  /** Whether it let us wait. */
  readonly late: boolean;
  /** Whether what was asked may have been done nevertheless. */
  readonly mayHaveArrived: boolean;

  constructor(
    endpoint: string,
    reason: string,
    { late = false, mayHaveArrived = true, cause = undefined as unknown } = {}
  ) {
    super(reason, { cause });
    this.endpoint = endpoint;
    this.late = late;
    this.mayHaveArrived = mayHaveArrived;
  }

  static from(endpoint: string, cause: unknown): Unanswered {
    const code = systemCode(cause) ?? '';
    const reason = cause instanceof Error ? cause.message || code : String(cause);
    return new Unanswered(endpoint, reason, { mayHaveArrived: !BEFORE_SENDING.test(code), cause });
  }
}

/** What etcd said instead of doing what it was asked. */
export class Refusal extends Error {
  readonly grpcCode: number;

  constructor(grpcCode: number, message: string) {
    super(message);
    this.grpcCode = grpcCode;
  }

  /** Of a watch, only the text is told. */
  static from(message: string): Refusal {
    const code = /permission denied/.test(message) ? GRPC.denied : /token/.test(message) ? GRPC.unauthenticated : 2;
    return new Refusal(code, message);
  }

  /** Whether this endpoint cannot do anything now: without a leader, without the others, or too busy. */
  get isPassing(): boolean {
    return this.grpcCode === GRPC.unavailable || this.grpcCode === GRPC.late;
  }
}

/** Whether another token would help: none was given, it has expired, or rights have changed since. */
export function isAboutToken(error: unknown): boolean {
  if (!(error instanceof Refusal)) return false;
  return error.grpcCode === GRPC.unauthenticated || /user name is empty|auth store is old/.test(error.message);
}

/** @returns what an operator can read; what is none of etcd's is given as it is */
export function toError(endpoints: readonly string[], error: unknown): unknown {
  if (error instanceof Unanswered) return unreachable(endpoints, [error]);
  if (!(error instanceof Refusal)) return error;
  if (error.grpcCode === GRPC.denied || isAboutToken(error)) return denied(endpoints, error.message);
  const isLease = error.grpcCode === GRPC.notFound && /lease/.test(error.message);
  const code: ErrorCode = isLease ? 'HANDOVER_ERR_FLEET_LEASE' : 'HANDOVER_ERR_FLEET_ETCD';
  const what = isLease
    ? 'The lease of this machine is gone'
    : `etcd refuses what it was asked (${endpoints.join(', ')})`;
  const fix = isLease
    ? 'Nothing has to be done: what serves goes on serving, and the machine registers again'
    : 'See its log, and `etcdctl alarm list`; what serves goes on serving';
  return new HandoverError(code, { what, why: error.message, fix }, { cause: error });
}

export function denied(endpoints: readonly string[], why: string): HandoverError {
  const isNamed = /CommonName/.test(why);
  return new HandoverError('HANDOVER_ERR_FLEET_DENIED', {
    what: `etcd does not let us in (${endpoints.join(', ')})`,
    why,
    fix: isNamed
      ? 'Use a certificate whose subject has no CN: with passwords, the gateway of etcd takes no other'
      : 'Check --etcd-user and --etcd-password-file, and that its role may read and write below /handover/; what serves goes on serving'
  });
}

export function unreachable(endpoints: readonly string[], failures: readonly Unanswered[]): HandoverError {
  const reasons = new Map(failures.map(({ endpoint, message }) => [endpoint, message]));
  const told = [...reasons].map(([endpoint, reason]) => (endpoints.length > 1 ? `${endpoint}: ${reason}` : reason));
  return new HandoverError(
    'HANDOVER_ERR_FLEET_UNREACHABLE',
    {
      what: `etcd cannot be reached (${endpoints.join(', ')})`,
      why: told.join('; ') || 'it was closed',
      fix: 'Check --etcd, and that etcd runs there; what serves goes on serving'
    },
    { cause: failures.at(-1) }
  );
}
