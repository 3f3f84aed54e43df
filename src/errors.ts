/**
 * Every failure this package can report: its code, the exit code of the command, the status of the control socket.
 *
 * The middle word of a code is its family, and the family gives the exit code: OPTION 2 (wrong usage),
 * REFUSED 3 (right order, wrong moment), CONTROL 4 (no supervisor reachable), FLEET 5 (etcd, which several machines agree in),
 * BUG 70, all others 1.
 */
export const CODES = {
  HANDOVER_ERR_OPTION_INVALID: { exit: 2, status: 400, means: 'An option has a value that cannot be used.' },
  HANDOVER_ERR_OPTION_UNKNOWN: { exit: 2, status: 400, means: 'An option or command does not exist.' },
  HANDOVER_ERR_OPTION_CONFIG: { exit: 2, status: 400, means: 'The config file cannot be read or is not an object.' },
  HANDOVER_ERR_OPTION_ENTRY: {
    exit: 2,
    status: 400,
    means: 'The entry given to `run` is not a file that can be read.'
  },
  HANDOVER_ERR_OPTION_USER: {
    exit: 2,
    status: 400,
    means: 'Nothing can be run as the user or group that was given, or it cannot reach what it needs.'
  },
  HANDOVER_ERR_OPTION_AMBIGUOUS: { exit: 2, status: 400, means: 'Several supervisors run; the command must name one.' },
  HANDOVER_ERR_REFUSED_BUSY: { exit: 3, status: 409, means: 'Another handover is in progress.' },
  HANDOVER_ERR_REFUSED_NO_STANDBY: { exit: 3, status: 409, means: 'No earlier generation is kept warm.' },
  HANDOVER_ERR_REFUSED_REJECTED: {
    exit: 3,
    status: 409,
    means: 'The standby was rejected by its verdict; only `rollback --to` goes back to it.'
  },
  HANDOVER_ERR_REFUSED_NO_GENERATION: {
    exit: 3,
    status: 409,
    means: 'The history has no such generation, or its files are gone.'
  },
  HANDOVER_ERR_REFUSED_NOT_BAKING: { exit: 3, status: 409, means: 'Nothing waits to be promoted or aborted.' },
  HANDOVER_ERR_REFUSED_STOPPING: { exit: 3, status: 409, means: 'The supervisor is stopping.' },
  HANDOVER_ERR_REFUSED_INSTALL: {
    exit: 3,
    status: 409,
    means: 'A unit or a config file cannot be written, or is not written over; or systemd refused an order about it.'
  },
  HANDOVER_ERR_REFUSED_NAME_TAKEN: { exit: 3, status: 409, means: 'Another supervisor answers under this name.' },
  HANDOVER_ERR_REFUSED_FLEET: {
    exit: 3,
    status: 409,
    means: 'Another deploy of the fleet is in progress, somebody else was first, or there is nothing to do it to.'
  },
  HANDOVER_ERR_CONTROL_UNREACHABLE: { exit: 4, status: 503, means: 'No supervisor answers.' },
  HANDOVER_ERR_CONTROL_SOCKET: { exit: 4, status: 500, means: 'The control socket cannot be made or used safely.' },
  HANDOVER_ERR_CONTROL_BAD_REQUEST: { exit: 4, status: 400, means: 'A request on the control socket is not valid.' },
  HANDOVER_ERR_CONTROL_NOT_FOUND: { exit: 4, status: 404, means: 'The control socket has no such route.' },
  HANDOVER_ERR_CONTROL_TOO_LARGE: { exit: 4, status: 413, means: 'A request on the control socket is too large.' },
  HANDOVER_ERR_CANDIDATE_ENTRY: {
    exit: 1,
    status: 422,
    means: 'The entry, folder, env file or Node binary given to `reload` cannot be used.'
  },
  HANDOVER_ERR_CANDIDATE_EXITED: {
    exit: 1,
    status: 502,
    means: 'A worker of the candidate exited before it was active.'
  },
  HANDOVER_ERR_CANDIDATE_NOT_READY: { exit: 1, status: 502, means: 'The candidate was not ready in time.' },
  HANDOVER_ERR_CANDIDATE_CHECK: { exit: 1, status: 502, means: 'A check of the candidate failed.' },
  HANDOVER_ERR_CANDIDATE_NOT_ACCEPTING: {
    exit: 1,
    status: 502,
    means: 'A ready generation could not begin to accept connections.'
  },
  HANDOVER_ERR_CANDIDATE_CUTOVER: {
    exit: 1,
    status: 502,
    means: 'What had to happen before the cutover failed: `beforeCutover`, or the active generation becoming quiet.'
  },
  HANDOVER_ERR_CANDIDATE_REJECTED: {
    exit: 1,
    status: 502,
    means: 'The verdict on the new generation was to roll back.'
  },
  HANDOVER_ERR_CANDIDATE_FETCH: {
    exit: 1,
    status: 502,
    means: 'The command that a deploy of the fleet fetches its release with failed on this machine.'
  },
  HANDOVER_ERR_CANDIDATE_FLEET: {
    exit: 1,
    status: 502,
    means: 'A deploy of the fleet was stopped, rolled back or aborted before every machine had it.'
  },
  HANDOVER_ERR_CANDIDATE_ABANDONED: {
    exit: 1,
    status: 409,
    means: 'The candidate was given up: by `abort`, for a newer one, or because the supervisor was asked to stop.'
  },
  HANDOVER_ERR_WORKER_UPGRADE: {
    exit: 1,
    status: 500,
    means: 'The next supervisor did not take over; this one goes on.'
  },
  HANDOVER_ERR_WORKER_SCALE: {
    exit: 1,
    status: 502,
    means: 'The workers that `scale` asked for did not all come to accept in time.'
  },
  HANDOVER_ERR_LISTEN_IN_USE: { exit: 1, status: 500, means: 'Another program holds the address.' },
  HANDOVER_ERR_LISTEN_PERMISSION: { exit: 1, status: 500, means: 'The user may not bind the address.' },
  HANDOVER_ERR_LISTEN_ADDRESS: { exit: 1, status: 500, means: 'The address is not one of this machine.' },
  HANDOVER_ERR_LISTEN_SYSTEMD: {
    exit: 1,
    status: 500,
    means: 'No such socket was passed by systemd, or it cannot be listened on.'
  },
  HANDOVER_ERR_PROTOCOL_MESSAGE: {
    exit: 1,
    status: 500,
    means: 'A process sent a message that is not of the protocol.'
  },
  HANDOVER_ERR_FLEET_UNREACHABLE: { exit: 5, status: 503, means: 'No endpoint of etcd answers.' },
  HANDOVER_ERR_FLEET_DENIED: {
    exit: 5,
    status: 503,
    means: 'The user and the password are not accepted by etcd, or may not do what was asked.'
  },
  HANDOVER_ERR_FLEET_LEASE: {
    exit: 5,
    status: 503,
    means: 'The lease under which a machine is registered in etcd is gone.'
  },
  HANDOVER_ERR_FLEET_ETCD: {
    exit: 5,
    status: 503,
    means: 'What etcd was asked it refuses, such as for want of space.'
  },
  HANDOVER_ERR_BUG: { exit: 70, status: 500, means: 'A mistake in handover itself; please report it.' }
} as const satisfies Record<string, { exit: number; status: number; means: string }>;

/** A code of {@link HandoverError}, such as `HANDOVER_ERR_REFUSED_BUSY`; docs/options-and-errors.md says what each means. */
export type ErrorCode = keyof typeof CODES;

/** The parts of a message: what happened with values, why as observed, what to do and what serves now. */
export interface Account {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

const brand = Symbol.for('handover.error');

/**
 * The one error class of this package. Branch on `code`; show `message`, which is `what`, `why` and `fix` together, to
 * people.
 *
 * @example
 * try {
 *   await service.reload();
 * } catch (error) {
 *   if (HandoverError.is(error) && error.code === 'HANDOVER_ERR_REFUSED_BUSY') return;
 *   throw error;
 * }
 */
export class HandoverError extends Error {
  override readonly name = 'HandoverError';
  /** The kind of failure, to branch on: it is part of the API, the texts are not. */
  readonly code: ErrorCode;
  /** What happened, with its values. */
  readonly what: string;
  /** Why, as it was observed; may be several lines. */
  readonly why: string;
  /** What to do about it, and what serves meanwhile. */
  readonly fix: string;
  /** Number of the generation that is active nevertheless; null where there is none or it is not known. */
  readonly active: number | null;

  constructor(code: ErrorCode, account: Account, options?: { cause?: unknown; active?: number | null }) {
    // Quoted lines, such as the last words of a worker, get no full stop.
    const glue = account.why.endsWith('\n') ? '' : '. ';
    super(`${account.what}: ${account.why}${glue}${account.fix}.`, options);
    this.code = code;
    this.what = account.what;
    this.why = account.why;
    this.fix = account.fix;
    this.active = options?.active ?? null;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The exit code of a command that ends with this error: 1, 2, 3, 4, 5 or 70. */
  get exitCode(): number {
    return CODES[this.code].exit;
  }

  /** Whether a value is a HandoverError, of this copy of the package or of another: `instanceof` sees this copy only. */
  static is(value: unknown): value is HandoverError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Gives a HandoverError as it is, and wraps anything else as HANDOVER_ERR_BUG with the value as its `cause`. */
  static from(value: unknown): HandoverError {
    if (HandoverError.is(value)) return value;
    const why = value instanceof Error ? value.message : String(value);
    const account = {
      what: 'handover failed in a way it does not know',
      why,
      fix: 'Please report it with this message'
    };
    return new HandoverError('HANDOVER_ERR_BUG', account, { cause: value });
  }
}

/** Any failure as the JSON that every door shows. */
export function describeFailure({ code, what, why, fix, active }: HandoverError): object {
  return { ok: false, code, what, why, fix, active };
}

/** The system's error code (`EADDRINUSE` and the like), or null where the value has none. */
export function systemCode(value: unknown): string | null {
  const code = value instanceof Error ? (value as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : null;
}
