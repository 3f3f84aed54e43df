/** What systemd says to the process that it starts, and to no other. */
const FOR_THE_MAIN_PROCESS: readonly (string | symbol)[] = [
  ...['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'],
  ...['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC']
];

/**
 * The environment without what systemd says to the supervisor: an app that found it would take descriptors that are not its, or
 * tell systemd that the service is ready, or is stopping.
 *
 * A view and not a copy: what is set in `process.env` later holds for the workers that are started then.
 */
export function withoutSystemd(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return new Proxy(env, {
    ownKeys: (target) => Reflect.ownKeys(target).filter((name) => !FOR_THE_MAIN_PROCESS.includes(name))
  });
}
