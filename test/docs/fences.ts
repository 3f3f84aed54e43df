import { type Page, withoutFences } from './pages.ts';

// The fences of a page: what stands in them is run, or there is a reason why not.

/** How each kind of fence is tested. */
const KINDS = {
  sh: 'command',
  js: 'code',
  json: 'code',
  ini: 'configuration',
  nginx: 'configuration',
  haproxy: 'configuration'
} as const;

export type Kind = (typeof KINDS)[keyof typeof KINDS];

export interface Fence {
  /** Where it is, as `page:line`. */
  readonly at: string;
  readonly language: string;
  readonly text: string;
  /** Null where it is not run. */
  readonly kind: Kind | null;
}

const NOT_RUN = /^<!-- not run: \S.* -->$/;

/**
 * Finds the fences of a page, in their order.
 *
 * @throws Error for a fence that nothing runs and that does not say why
 */
export function findFences({ path, text }: Page): Fence[] {
  const lines = text.split('\n');
  const fences: Fence[] = [];
  for (let first = 0; first < lines.length; first += 1) {
    const [, indent, language] = /^( *)```(.*)$/.exec(lines[first] ?? '') ?? [];
    if (language === undefined) continue;
    const at = `${path}:${first + 1}`;
    const last = lines.indexOf('```', first + 1);
    if (indent !== '' || last < 0) throw new Error(`${at}: a fence must begin and end in the first column`);
    const isRun = !NOT_RUN.test(lines[first - 1] ?? '');
    if (isRun && !(language in KINDS))
      throw new Error(`${at}: nothing runs a fence of "${language}"; say why in a comment before it`);
    const kind = isRun ? KINDS[language as keyof typeof KINDS] : null;
    fences.push({ at, language, kind, text: `${lines.slice(first + 1, last).join('\n')}\n` });
    first = last;
  }
  return fences;
}

/** The commands of a fence, each with the line it is on. */
export function findCommands({ at, text }: Fence): { readonly at: string; readonly command: string }[] {
  const [path, first] = at.split(':');
  return text.split('\n').flatMap((line, index) => {
    const command = line.replace(/(^|\s)# .*$/, '').trim();
    return command === '' ? [] : [{ at: `${path}:${Number(first) + index + 1}`, command }];
  });
}

/** The spans of code in running text. */
export function findSpans({ text }: Page): string[] {
  return [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
}
