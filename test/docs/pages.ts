import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What a reader gets, page by page: the text, the links in it and the headings that links can point to.

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A page, by its path from the top of the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

const inFolder = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);

/** The pages whose commands and code are run. */
export const PAGES: readonly Page[] = ['README.md', ...inFolder('docs'), 'CONTRIBUTING.md', 'SECURITY.md'].map(
  readPage
);

/** The pages of which only the links are followed: tests of their own run what they say. */
export const OTHER_PAGES: readonly Page[] = [
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'examples')).map((folder) => `examples/${folder}/README.md`)
].map(readPage);

export function withoutFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}

/** What the links and images of a text point to, those to other sites left out. */
export function findLinks(text: string): string[] {
  const shown = withoutFences(text).replace(/`[^`\n]+`/g, 'code');
  const targets = [...shown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that the headings of a text get where it is shown. */
export function findAnchors(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(text).matchAll(/^#{1,6} +(.*)$/gm)].map(([, title]) => {
    const anchor = (title ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\-_ ]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** The links of a page that lead nowhere, each with the reason. */
export function findBrokenLinks({ path, text }: Page): string[] {
  return findLinks(text).flatMap((target) => {
    const [file = '', anchor] = target.split('#');
    const to = file === '' ? path : join(dirname(path), file);
    if (file !== '' && !existsSync(join(ROOT, to))) return [`${target}: there is no ${to}`];
    if (anchor === undefined) return [];
    const headings = findAnchors(file === '' ? text : readPage(to).text);
    return headings.includes(anchor) ? [] : [`${target}: ${to} has no such heading`];
  });
}
