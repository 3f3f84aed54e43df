import { sources, withoutComments } from '../support/sources.ts';

// The events of a service, as the source has them: what each is said for, and how important it is.

/** Not events of a service, though they are written alike. */
const OTHERS: readonly string[] = ['request'];

/** Those whose level says how it came out. */
const VARYING: Readonly<Record<string, readonly string[]>> = {
  'config-changed': ['info', 'warn'],
  'worker-exited': ['info', 'warn'],
  assigned: ['info', 'warn']
};

export interface EventAbout {
  readonly name: string;
  /** When it is said, and its fields. */
  readonly about: string;
}

/** What the interface of the events says of each, in its order. */
export function readDescribed(): EventAbout[] {
  const text = sources.get('supervisor/events.ts') ?? '';
  const body = text.slice(text.indexOf('export interface ServiceEvents'));
  return [...body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+'?([a-z-]+)'?: \[/g)].map(([, doc = '', name = '']) => ({
    name,
    about: doc
      .split('\n')
      .map((line) => line.replace(/^\s*\*?\s?/, '').trim())
      .filter((line) => line !== '')
      .join(' ')
  }));
}

/** The names that are written anywhere in the source, with the levels they are written with, as far as they are constants. */
export function readWritten(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const text of sources.values()) {
    const code = withoutComments(text);
    const written = [
      ...code.matchAll(/\bannounce\(\s*(?:'(\w+)'|[\w.?: ']+),\s*'([a-z-]+)'/g),
      ...code.matchAll(/\blevel(?:: '(\w+)'(?: as const)?|: [^,'{}]+(?:'\w+'[^,{}]*)?)?,\s*event: '([a-z-]+)'/g),
      ...code.matchAll(/\bsay\(\s*[^,]+,\s*'(\w+)',\s*'([a-z-]+)'/g)
    ];
    for (const [, one = '', other = ''] of code.matchAll(/\bconst event = [^;]*\? '([a-z-]+)' : '([a-z-]+)'/g))
      written.push(['', 'info', one] as never, ['', 'info', other] as never);
    for (const [, level, name = ''] of written) {
      if (OTHERS.includes(name)) continue;
      const levels = found.get(name) ?? new Set();
      for (const one of VARYING[name] ?? [level]) if (one) levels.add(one);
      found.set(name, levels);
    }
  }
  return found;
}
