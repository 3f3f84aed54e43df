import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeFolder } from './service.ts';

/** Why a test that needs a certificate is skipped, or false. */
export const skipWithoutOpenssl = hasOpenssl() ? false : 'there is no openssl to make a certificate with';

/** Makes a key and a certificate for localhost: what the HTTPS apps of the tests read from their environment. */
export function makeCertificate(t: TestContext): { KEY_FILE: string; CERT_FILE: string } {
  const folder = makeFolder(t);
  const [KEY_FILE, CERT_FILE] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', KEY_FILE, '-out', CERT_FILE];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' });
  return { KEY_FILE, CERT_FILE };
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // not installed, or not for this user
  }
}
