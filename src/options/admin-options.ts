import { type ListenAddress, readAddress, readText } from './readers.ts';
import { spec } from './spec.ts';

/** Where operators and their tools look: numbers, readiness, a page. */
export const ADMIN_OPTIONS = {
  admin: spec<AdminAddress | null>({
    fallback: null,
    value: '<host:port | unix:path>',
    wants: '"host:port", "[ipv6]:port" or "unix:/path"; a port alone does not say who may connect',
    about:
      'Address for operators and their tools: `/metrics` for Prometheus, `/ready` and `/live` for a load balancer, and a page to look at.',
    read: readAdminAddress
  }),
  adminTokenFile: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path',
    about:
      'File with a secret of at least 128 bits, such as `openssl rand -hex 16` makes. With it, whoever knows the secret can give orders on the page of --admin.',
    read: readText(4_096)
  })
} as const;

export type AdminAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export function readAdminAddress(given: unknown): AdminAddress | undefined {
  const address: ListenAddress | undefined = typeof given === 'string' ? readAddress(given) : undefined;
  if (!address || address.asked !== null || 'systemd' in address) return undefined;
  if ('path' in address) return { path: address.path };
  return address.host === undefined ? undefined : { host: address.host, port: address.port };
}
