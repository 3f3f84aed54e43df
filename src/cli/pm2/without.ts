/** What of PM2 has no counterpart, and what to do instead; each by the name of its option. */
export const WITHOUT: Readonly<Record<string, string>> = {
  watch: 'a version is changed by an order: `handover reload` at the end of a deploy; while developing, `node --watch`',
  instance_var:
    'workers have no number in their environment: what one process alone may do (cron jobs, queues) goes into `whileActive()` of handover/worker',
  autorestart: 'a worker that is lost is always replaced; a program that is to end by itself is a plain unit',
  stop_exit_codes: 'a worker that ends without being told to is replaced, whatever its code',
  max_restarts: 'nothing is given up: after as many losses as `restarts` says a new try comes every 15 s',
  min_uptime: 'nothing is given up: see `restarts`',
  restart_delay: 'delays grow by themselves; see `restarts`',
  exp_backoff_restart_delay: 'delays grow by themselves; see `restarts`',
  shutdown_with_message:
    'the end is told by SIGTERM, at retirement: the app listens for that instead of the message "shutdown"',
  treekill: 'a worker ends its own child processes; systemd sees to what is left when the service stops',
  log_file: 'there is one output: `journalctl -u` shows it whole, and `-p err` or a unit of its own part of it',
  log_date_format: 'journald has the time of each line: `journalctl -o short-iso`',
  time: 'journald has the time of each line',
  log_type: 'the lines of the app stay as they are; those of the supervisor are JSON',
  merge_logs: 'the output of all workers is one',
  disable_logs: '`StandardOutput=null` in a drop-in of the unit (systemctl edit)',
  pid_file: '`systemctl show --property MainPID`, or `handover status --json`',
  filter_env: 'nothing of your shell reaches a unit: only `env`, `envFile` and what the unit says',
  append_env_to_name: 'choose the name with `--name` or in the config',
  namespace: 'units are named together by a pattern: `systemctl status "shop-*"`',
  source_map_support: '`nodeOptions: "--enable-source-maps"`, if traces are to show the sources',
  health_check: 'PM2 has no such option; here `check: "/health"` asks each new version before it may serve',
  deploy: 'the last line of the deploy script is `handover reload`: docs/getting-started.md has a whole one',
  pmx: '`handover status`, and metrics of the app by a library of its own',
  vizion: '`handover history` has the git commit of each version by itself',
  interpreter_args: 'they are options of Node: `nodeOptions`'
};

/** Said by nobody on purpose, or about the daemon only: nothing is lost without them. */
export const OF_NO_MATTER: readonly string[] = [
  ...['automation', 'trace', 'disable_trace', 'deep_monitoring', 'event_loop_inspector', 'v8', 'io', 'monitoring'],
  ...['force', 'write', 'windowsHide', 'kill_retry_time', 'install_url', 'name_prefix', 'username', 'description'],
  ...['ignore_watch', 'watch_options', 'watch_delay', 'disable_source_map_support', 'execute_command', 'max']
];

/** Options that say the same by another name. */
export const ALIASES: Readonly<Record<string, string>> = {
  exec: 'script',
  interpreter: 'exec_interpreter',
  interpreterArgs: 'node_args',
  interpreter_args: 'node_args',
  nodeArgs: 'node_args',
  out: 'out_file',
  output: 'out_file',
  out_log: 'out_file',
  error: 'error_file',
  err: 'error_file',
  err_file: 'error_file',
  err_log: 'error_file',
  log: 'log_file',
  pid: 'pid_file',
  cron: 'cron_restart',
  combine_logs: 'merge_logs',
  user: 'uid',
  group: 'gid'
};
