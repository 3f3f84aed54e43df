import type { System } from '../model.ts';

// The app alone: it is killed, and the next version is started. Without a handler of its own this is what SIGTERM does to
// Node as well; waiting for a graceful end would only leave the port closed for longer.
//
// Source: https://nodejs.org/api/process.html#signal-events

export const kill: System = {
  id: 'kill',
  name: 'kill and start',
  note: 'Bare Node: nobody listens between the end of the old version and the start of the new one.',
  rollbackNote: 'One more kill and start, of the version before.',
  deathNote: 'The app itself is killed; an init system starts it again.',
  file: import.meta.url,
  missing: () => null,
  async start(sandbox) {
    let app = await sandbox.startApp(sandbox.port);
    return {
      async deploy() {
        await sandbox.kill(app);
        app = await sandbox.startApp(sandbox.port);
      },
      owner: () => app.pid,
      async startAgain() {
        app = await sandbox.startApp(sandbox.port);
      }
    };
  }
};
