/** What helps against the errors that new releases die of most, by what their own line says. `folder` is the app's. */
const ADVICE: readonly (readonly [error: RegExp, fix: (found: RegExpExecArray, folder: string) => string])[] = [
  [
    /Cannot find (?:module|package) '([^'./][^']*)'/,
    ([, name = ''], folder) => `Install ${packageOf(name)} there: \`npm ci\` in ${folder}`
  ],
  [
    /Cannot find module '([^']+)'/,
    ([, path]) => `Look whether the release is complete and built: ${path} is not there`
  ],
  [
    /Cannot use import statement outside a module|Unexpected token 'export'/,
    () => 'Name the file .mjs, or put "type": "module" into its package.json'
  ],
  [
    /require is not defined in ES module scope/,
    () =>
      'Name the file .cjs, or, where it imports or exports too, use `import` (or createRequire of node:module) in the place of `require`'
  ],
  [
    /__(dirname|filename) is not defined in ES module scope/,
    ([, name]) => `Write \`import.meta.${name}\` there, or name the file .cjs`
  ],
  [/(?:module|exports) is not defined in ES module scope/, () => 'Write `export` there, or name the file .cjs'],
  [
    /ERR_REQUIRE_ESM/,
    () => 'Use `import` for that package, or run the app with a Node that can require it (22.12 or newer)'
  ],
  [
    /ERR_UNKNOWN_FILE_EXTENSION.*"\.[cm]?tsx?"/,
    () => 'Build it to JavaScript and run that, or load a compiler: `--node-option=--import=tsx`'
  ],
  [
    /bad option: (\S+)|(\S+) is not allowed in NODE_OPTIONS/,
    () => 'Correct the options of Node: NODE_OPTIONS, or what was given for it. This Node does not know them'
  ],
  [/heap out of memory/, () => 'Give it more memory (NODE_OPTIONS=--max-old-space-size=<MB>), or look what it keeps'],
  [
    /EADDRINUSE(?:[^\n(]*:(\d+))?/,
    ([, port]) =>
      `Free ${port ? `port ${port}` : 'the address'}, or let it listen in the main thread of the worker itself: what a child process, a thread or a descriptor binds cannot be shared by two versions`
  ],
  [/EMFILE/, () => 'Raise the limit of open files (`ulimit -n`, LimitNOFILE= in a systemd unit)'],
  [/ENOSPC/, () => 'Free some room on the disk'],
  [/EACCES.*'(\/[^']+)'/, ([, path]) => `Let this user read or write ${path}`],
  [/ECONNREFUSED (\S+?)(?:[;,()]|$)/, ([, to]) => `Start what should answer on ${to}, or correct its address`]
];

/** What to do about an error; null where only its own text says. */
export function advise(error: string | null, folder: string): string | null {
  for (const [pattern, fix] of ADVICE) {
    const found = pattern.exec(error ?? '');
    if (found) return fix(found, folder);
  }
  return null;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
