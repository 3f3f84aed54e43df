import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from './model.ts';
import type { Processes } from './processes.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** What npm says when the registry has no such package or version, or is not reached. */
const LACKING = /npm (?:error|ERR!) code (E404|ETARGET|E403|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT)/;

const { dependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
};

/** The version of a package that is tested. */
export function versionOf(name: string): string {
  const version = dependencies[name];
  if (version === undefined) throw new Error(`test/apps/package.json has no version of ${name}`);
  return version;
}

/** Copies an app into its folder and installs and builds it there; what keeps it from running, or null. */
export async function install(app: App, folder: string, processes: Processes): Promise<string | null> {
  mkdirSync(folder);
  if (app.folder !== undefined) cpSync(join(HERE, app.folder), folder, { recursive: true });
  const wanted = Object.fromEntries(app.packages.map((name) => [name, versionOf(name)]));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, dependencies: wanted }));
  if (app.packages.length > 0) {
    const flags = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel', 'error', '--fetch-retries', '1'];
    const { code, output } = await processes.run(['npm', 'install', ...flags], folder);
    const lacking = LACKING.exec(output);
    if (lacking) return `the registry does not give it: ${lacking[1]} ${firstReason(output)}`;
    if (code !== 0) throw new Error(`npm install ended with ${code}:\n${output}`);
  }
  for (const [name = '', ...args] of app.build ?? []) {
    const { code, output } = await processes.run([join(folder, 'node_modules/.bin', name), ...args], folder);
    if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}:\n${output}`);
  }
  return null;
}

/** npm's own first sentence about it. */
function firstReason(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) (\w+ )?/, ''));
  return lines.find((line) => /not found|no matching|failed|forbidden/i.test(line))?.trim() ?? '';
}
