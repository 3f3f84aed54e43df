/** The element of that id. The page is made with it. */
export function find<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Makes an element. Whatever is shown is text: what an app says is never read as HTML. */
export function make(tag: string, text: string | readonly Node[] = '', className = ''): HTMLElement {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  if (typeof text === 'string') element.textContent = text;
  else element.append(...text);
  return element;
}

export function row(cells: readonly string[], long: readonly number[] = []): HTMLElement {
  const [first = '', ...others] = cells;
  const head = make('th', first);
  head.setAttribute('scope', 'row');
  return make('tr', [head, ...others.map((text, index) => make('td', text, long.includes(index + 1) ? 'long' : ''))]);
}

/** Says it once: what is read aloud is not read again where nothing is new. */
export function say(element: HTMLElement, text: string, className = ''): void {
  if (element.textContent !== text) element.textContent = text;
  element.className = className;
}

export function showBytes(bytes: number | null): string {
  return bytes === null ? '?' : `${Math.round(bytes / 2 ** 20)} MiB`;
}

export function showMs(ms: number | null): string {
  if (ms === null) return '';
  if (ms < 1_000) return `${Math.round(ms * 10) / 10} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export function showShare(share: number | null): string {
  return share === null ? '?' : `${Math.round(share * 1_000) / 10} %`;
}

export function showTime(iso: string | null): string {
  return iso === null ? '' : new Date(iso).toLocaleString();
}
