/** One section of a unit file: comments, and `Name=value` lines in their order. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** A file that is to be written: its name in the folder of units, and its text. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** Puts a unit file together. */
export function writeUnit(sections: readonly Section[]): string {
  return `${sections.map(({ title, lines }) => `[${title}]\n${lines.join('\n')}\n`).join('\n')}`;
}

/** The name of a unit for an app: what systemd does not allow in one becomes a dash. */
export function unitName(app: string): string {
  const name = app.replace(/[^A-Za-z0-9:_.-]+/g, '-').replace(/^[-.]+|-+$/g, '');
  return name === '' ? 'app' : name.slice(0, 100);
}

/** The control socket of a unit of the machine: in a folder that systemd makes for it. */
export function unitSocketPath(unit: string): string {
  return `/run/${unit}/control.sock`;
}

/**
 * Writes a command as systemd reads it back: words in quotes where they need them, and neither specifiers (`%`) nor
 * variables (`$`).
 *
 * @source systemd.service(5), "Command lines"
 */
export function writeCommand(words: readonly string[]): string {
  return words.map((word) => quote(word.replaceAll('%', '%%').replaceAll('$', '$$$$'))).join(' ');
}

/** A value of a unit file that is one path or text to its end: only specifiers have to be written twice. */
export function writeValue(value: string): string {
  return value.replaceAll('%', '%%').replaceAll('\n', ' ');
}

/** A path in a list of paths: in quotes where it has spaces. */
export function writePath(path: string): string {
  return quote(path.replaceAll('%', '%%'));
}

/** A variable as `Environment=` takes it. */
export function writeVariable(name: string, value: string): string {
  return quote(`${name}=${value}`.replaceAll('%', '%%'));
}

function quote(word: string): string {
  if (/^[\w@%+=:,./$-]+$/.test(word)) return word;
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r');
  return `"${escaped}"`;
}
