import type { By } from '../core/routing/plan.ts';
import { readBy } from './canary.ts';
import { spec } from './spec.ts';

const VALUE = '"cookie:NAME", "header:NAME" or "query:NAME"';

/** Which version, or which process, answers whom. */
export const ROUTING_OPTIONS = {
  affinity: spec<By | null>({
    fallback: null,
    value: '<cookie:NAME | header:NAME | query:NAME | ip>',
    wants: `${VALUE}, "ip" or "ip:HEADER"`,
    about:
      'By what a client stays with the process that knows it, among several workers and after a cutover, as long as that process lives. Over plain HTTP/1.1.',
    read: (given) => {
      const by = readBy(given);
      return by?.kind === 'random' || by?.kind === 'connection' ? undefined : by;
    }
  }),
  pin: spec<readonly By[]>({
    fallback: [],
    value: '<header:NAME | cookie:NAME | query:NAME>',
    wants: VALUE,
    about:
      'What a client may say to be answered by the version of that label, as long as it is warm. Several with commas.',
    read: (given) =>
      readEach(given, (one) => {
        const by = readBy(one);
        return by && 'name' in by ? by : undefined;
      })
  }),
  oldAssets: spec<readonly string[]>({
    fallback: [],
    value: '</assets,/_next/static>',
    wants: 'paths such as "/assets"',
    about: 'Where a GET or HEAD that the active version answers with 404 is asked of the one before, if that is warm.',
    read: (given) =>
      readEach(given, (one) => (typeof one === 'string' && /^\/[^\s?#,]{0,200}$/.test(one) ? one : undefined))
  })
} as const;

function readEach<T>(given: unknown, read: (one: unknown) => T | undefined): readonly T[] | undefined {
  const list = (typeof given === 'string' ? given.split(',').map((one) => one.trim()) : [given].flat()).map(read);
  return list.every((one) => one !== undefined) ? (list as T[]) : undefined;
}
