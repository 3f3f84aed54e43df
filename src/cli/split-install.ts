/** The arguments of `install`, told apart. */
export interface InstallArguments {
  readonly own: readonly string[];
  /** Those of `run`, as they were written. */
  readonly run: readonly string[];
}

/**
 * Tells the arguments of `install` from those of `run`, which may stand between and after them.
 *
 * Flags of `install` are its own before the entry and directly after it. After a `--` that comes before any argument of
 * `run`, everything is of `run`: so is its `--user <name>`, for `--user` alone is that of `install`.
 *
 * @param flags those of `install`, each with whether it takes a value
 * @param runFlags those of `run`, each of which takes a value
 */
export function splitInstall(
  args: readonly string[],
  flags: ReadonlyMap<string, boolean>,
  runFlags: readonly string[]
): InstallArguments {
  const own: string[] = [];
  const run: string[] = [];
  let hasEntry = false;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string;
    const [flag = ''] = arg.split('=', 1);
    if (arg === '--') return { own, run: [...run, ...args.slice(run.length === 0 ? at + 1 : at)] };
    const takesValue = flags.get(flag);
    if (takesValue !== undefined) {
      const end = takesValue && flag === arg ? at + 1 : at;
      own.push(...args.slice(at, end + 1));
      at = end;
    } else if (runFlags.includes(flag)) {
      const end = flag === arg ? at + 1 : at;
      run.push(...args.slice(at, end + 1));
      at = end;
    } else if (hasEntry) return { own, run: [...run, ...args.slice(at)] };
    else {
      run.push(arg);
      hasEntry = !arg.startsWith('-');
    }
  }
  return { own, run };
}
