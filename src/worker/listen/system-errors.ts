import { getSystemErrorMap } from 'node:util';

/** Every error of the system by its name: its number and what it means. */
const SYSTEM_ERRORS = new Map(
  [...getSystemErrorMap()].map(([errno, [name, meaning]]) => [name, [errno, meaning] as const])
);

/** Where a call was to listen, or to connect. */
interface Where {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
}

/** The error that plain Node gives when a call on a socket fails. */
export function systemError(syscall: 'listen' | 'connect', code: string, { path, host = '::', port }: Where): Error {
  const [errno, meaning = 'unknown error'] = SYSTEM_ERRORS.get(code) ?? [];
  const address = path ?? host;
  const where = port === undefined ? address : `${address}:${port}`;
  const details = { code, errno, syscall, address, ...(port === undefined ? {} : { port }) };
  const message = syscall === 'listen' ? `listen ${code}: ${meaning} ${where}` : `connect ${code} ${where}`;
  return Object.assign(new Error(message), details);
}
