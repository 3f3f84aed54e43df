import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../bench/client/app.mjs', import.meta.url));

/** Starts the service as a process of its own; `output` is the line it prints once it listens. */
export async function startApp(environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [entry], {
    env: { ...process.env, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit']
  });
  const exited = once(child, 'exit');
  const [output] = await Promise.race([
    once(child.stdout, 'data'),
    exited.then(([code]) => Promise.reject(new Error(`the app exited with ${code} before it listened`)))
  ]);
  return {
    output: String(output).trim(),
    target: { host: '127.0.0.1', port: Number(output) },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    }
  };
}
