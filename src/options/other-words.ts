/** Options of other tools, and how each is called here. */
const OPTIONS: Readonly<Record<string, string>> = {
  p: 'listen',
  port: 'listen',
  host: 'listen',
  address: 'listen',
  bind: 'listen',
  i: 'workers',
  instances: 'workers',
  scale: 'workers',
  processes: 'workers',
  n: 'name',
  timeout: 'readyTimeout',
  listenTimeout: 'readyTimeout',
  killTimeout: 'drainTimeout',
  stopTimeout: 'drainTimeout',
  waitReady: 'ready',
  health: 'check',
  healthCheck: 'check',
  healthcheck: 'check',
  maxMemoryRestart: 'maxMemory',
  workdir: 'cwd',
  e: 'env',
  environment: 'env',
  script: 'entry',
  main: 'entry',
  execPath: 'node',
  interpreter: 'node',
  interpreterArgs: 'nodeOptions',
  nodeArgs: 'nodeOptions',
  r: 'nodeOptions',
  require: 'nodeOptions',
  import: 'nodeOptions'
};

/** Commands of other tools, and what does it here. */
const COMMANDS: Readonly<Record<string, string>> = {
  start: 'run',
  serve: 'run',
  up: 'run',
  restart: 'reload',
  deploy: 'reload',
  upgrade: 'reload',
  revert: 'rollback',
  undo: 'rollback',
  down: 'stop',
  kill: 'stop',
  delete: 'stop',
  del: 'stop',
  exit: 'stop',
  quit: 'stop',
  ls: 'list',
  ps: 'list',
  info: 'status',
  show: 'status',
  describe: 'status',
  monit: 'status',
  log: 'logs',
  tail: 'logs'
};

/** The option here that does what one of another tool does. */
export function findOption(name: string): string | undefined {
  const plain = name.replace(/^-+/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(OPTIONS, plain) ? OPTIONS[plain] : undefined;
}

/** The command here that does what one of another tool does. */
export function findCommand(name: string): string | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}
