import { readFileSync } from 'node:fs';
import { HandoverError, systemCode } from '../errors.ts';
import { Etcd } from './etcd/etcd.ts';

/** Where the etcd is and who asks, as options say it: files by their paths. */
export interface StoreOptions {
  readonly etcd: readonly string[];
  readonly etcdUser: string | null;
  readonly etcdPasswordFile: string | null;
  readonly etcdCa: string | null;
  readonly etcdCert: string | null;
  readonly etcdKey: string | null;
}

/**
 * Opens what machines agree in: files are read, and nothing is asked yet.
 *
 * @throws HANDOVER_ERR_OPTION_INVALID
 */
export function openStore(options: StoreOptions): Etcd {
  const { etcd, etcdUser, etcdPasswordFile, etcdCa, etcdCert, etcdKey } = options;
  if ((etcdUser === null) !== (etcdPasswordFile === null))
    throw unusable('"etcdUser" and "etcdPasswordFile"', 'one is given without the other', 'Give both, or neither');
  if ((etcdCert === null) !== (etcdKey === null))
    throw unusable('"etcdCert" and "etcdKey"', 'one is given without the other', 'Give both, or neither');
  const password = etcdPasswordFile === null ? null : read('etcdPasswordFile', etcdPasswordFile).replace(/\r?\n$/, '');
  const pem = (name: string, path: string | null) => (path === null ? null : read(name, path));
  return new Etcd({
    ...{ endpoints: etcd, user: etcdUser, password },
    ...{ ca: pem('etcdCa', etcdCa), cert: pem('etcdCert', etcdCert), key: pem('etcdKey', etcdKey) }
  });
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`"${name}"`, `${path} cannot be read (${systemCode(error) ?? 'unknown error'})`, 'Correct it');
  }
}

function unusable(names: string, why: string, fix: string): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', { what: `Option ${names} is not usable`, why, fix });
}
