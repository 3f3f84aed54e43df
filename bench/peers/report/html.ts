/** Text that is HTML already and is not escaped again. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
};

/** Makes text safe inside elements and quoted attributes, of HTML and of SVG. */
export const escapeText = (text: string) => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

/** A template whose holes are escaped, unless they are markup themselves. */
export function html(parts: TemplateStringsArray, ...holes: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + write(holes[index - 1] ?? '') + part));
}

/** Prose in which `code` stands between backticks. */
export const prose = (text: string): Markup =>
  html`${text.split('`').map((piece, at) => (at % 2 === 0 ? piece : html`<code>${piece}</code>`))}`;

function write(content: Content): string {
  if (content instanceof Markup) return content.text;
  return typeof content === 'object' ? content.map(write).join('') : escapeText(String(content));
}
