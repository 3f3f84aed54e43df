import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Fence } from './fences.ts';
import type { Machine } from './machine.ts';
import { Program } from './program.ts';

// Code that stands in the docs: an app is served, a config is used, what supervises is run, and the rest is parsed.

const run = promisify(execFile);

const SERVE = 'handover run server.js --listen 80';

export async function tryCode(machine: Machine, { language, text }: Fence): Promise<void> {
  if (language === 'json') return tryPackage(machine, text);
  const [, name = 'example.js'] = /^\/\/ (\S+\.m?js)/.exec(text) ?? [];
  if (text.includes('export default')) return tryConfig(machine, text);
  machine.write(name, machine.adapt(text));
  if (text.includes('supervise(')) return trySupervisor(machine, name, text.includes('.close()'));
  if (text.includes('.listen(')) {
    const ready = text.includes('ready()') ? ' --ready signal' : '';
    return serve(machine, SERVE.replace('server.js', `${name}${ready}`));
  }
  await run(process.execPath, ['--check', join(machine.folder, name)]);
}

/** Starts a service, hands over once, and stops it. */
async function serve(machine: Machine, command: string): Promise<void> {
  await machine.serve(command);
  await machine.give('handover reload');
  await machine.stop();
}

async function tryConfig(machine: Machine, text: string): Promise<void> {
  machine.write('handover.config.js', machine.adapt(text));
  await serve(machine, SERVE);
  machine.write('handover.config.js', 'export default {};\n');
}

/** Its options are added to those of the package.json that every page has. */
async function tryPackage(machine: Machine, text: string): Promise<void> {
  const { handover, ...rest } = JSON.parse(text) as { readonly handover: object };
  const own = { type: 'module', ...rest, handover: { bake: '6s', ...handover } };
  machine.write('package.json', JSON.stringify(own));
  await serve(machine, SERVE);
}

/** Runs what supervises. What does not close its service by itself is asked to end. */
async function trySupervisor(machine: Machine, name: string, closes: boolean): Promise<void> {
  await machine.stop();
  const program = new Program(`node ${name}`, { cwd: machine.folder, env: machine.env });
  try {
    await program.started();
    if (!closes) program.stop();
    await program.ended();
  } finally {
    program.kill();
  }
}
