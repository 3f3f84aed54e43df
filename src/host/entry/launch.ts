/** How a file is started in Node, as another command does it. */
export interface Launch {
  /** As the operator would write it. */
  readonly file: string;
  /** What follows the file, with a `--` before what only the app may read. */
  readonly args: readonly string[];
  readonly nodeOptions: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly envFile: string | null;
  /** Commands that have to be given before it. */
  readonly first: readonly string[];
}

export const PLAIN: Omit<Launch, 'file'> = { args: [], nodeOptions: [], env: {}, envFile: null, first: [] };

/** Shows what to give to handover for it. */
export function showLaunch({ file, args, nodeOptions, env, envFile }: Launch, command: string): string {
  const words = [
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...(envFile === null ? [] : ['--env-file', envFile]),
    ...nodeOptions.map((option) => `--node-option=${option}`),
    file,
    ...args
  ];
  return [command, ...words.map(quote)].join(' ');
}

/** A variable is left to the shell in which the command is to be given. */
function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return /^[\w@%+=:,./${}-]+$/.test(word) ? `"${word}"` : `'${word.replaceAll("'", `'\\''`)}'`;
}
