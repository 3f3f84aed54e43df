import { basename, join } from 'node:path';
import { HandoverError } from '../../errors.ts';
import { logicalCwd } from '../../options/cwd.ts';
import { Option } from '../commander.ts';
import { createJsonFlag } from '../flags.ts';
import type { Io } from '../io.ts';
import { installFiles } from '../pm2/install-files.ts';
import { type ImportedApp, planFiles } from '../pm2/plan-files.ts';
import { readEcosystem } from '../pm2/read-ecosystem.ts';
import { translate } from '../pm2/translate.ts';
import { WITHOUT } from '../pm2/without.ts';
import { mark, unitFolder } from '../units/installed.ts';
import { findInvocation } from '../units/invocation.ts';
import { showSystemctl } from '../units/systemctl.ts';
import { createUnitFlags, startUnits, type UnitFlags } from '../units/unit-flags.ts';
import { unitSocketPath } from '../units/unit-text.ts';
import type { Command } from './command.ts';

interface ImportFlags extends UnitFlags {
  readonly envName?: string;
  readonly only?: string;
  readonly install?: true;
}

/** Named `importing`, since `import` is a word of the language. */
export const importing: Command = {
  name: 'import',
  operands: ['<file>'],
  about: 'Show what becomes of the apps of PM2: for each the config, the units, and what has no counterpart.',
  details: `The file is one that \`pm2 start\` takes: ecosystem.config.js, .cjs, .mjs, .json or .yaml, or a package.json with "pm2".
Nothing is written and nothing is started, unless --install is given; with --now it is started, too:

  handover import ecosystem.config.js --env-name production
  handover import ecosystem.config.js --env-name production --install --now`,
  flags: () => [
    new Option('--env-name <name>', 'Which env_<name> is set over env, as with `pm2 start --env`.'),
    new Option('--only <app>', 'Only the app of this name.'),
    new Option('--install', 'Write the configs and the units. Without it, nothing is written.'),
    ...createUnitFlags(),
    createJsonFlag()
  ],
  async run(given, io) {
    const flags = given.flags as ImportFlags;
    const ecosystem = await readEcosystem(given.entry ?? '', logicalCwd());
    const { environments, folder, file } = ecosystem;
    if (flags.envName !== undefined && !environments.includes(flags.envName))
      throw noEnvironment(flags.envName, environments);
    const all = ecosystem.apps.map((app) => translate(app, folder, flags.envName ?? null));
    const chosen = all.filter(({ name }) => flags.only === undefined || name === flags.only);
    if (chosen.length === 0)
      throw noApp(
        String(flags.only),
        all.map(({ name }) => name)
      );
    const asked = flags.runAs === undefined ? chosen : chosen.map((app) => ({ ...app, user: flags.runAs ?? null }));
    const isUser = flags.user === true;
    const { words } = findInvocation(folder);
    const apps = planFiles(asked, isUser, words);
    const written = flags.install ? installFiles(apps, isUser, flags.force === true) : [];
    const started =
      flags.install && flags.now
        ? await startUnits(
            isUser,
            apps.flatMap(({ enabled }) => enabled)
          )
        : false;
    const notes = ecosystem.hasDeploy ? [{ option: 'deploy', value: null, instead: WITHOUT.deploy ?? '' }] : [];
    if (flags.json) {
      const shown = apps.map((app) => describe(app, isUser));
      return io.out(JSON.stringify({ ok: true, file, environments, apps: shown, without: notes, written, started }));
    }
    const parts = apps.map((app) => showApp(app, isUser, io.paint));
    if (notes.length > 0) parts.push(showNotes(`Of ${basename(file)} itself`, notes, io.paint));
    parts.push(showEnd(apps, flags, written, started));
    io.out(parts.join('\n\n'));
  }
};

function describe(app: ImportedApp, isUser: boolean) {
  const { name, kind, why, cwd, unit, config, units, enabled, taken, notes } = app;
  const folder = unitFolder(isUser);
  const files = units.map((one) => ({ name: one.name, path: join(folder, one.name), text: mark(unit, one.text) }));
  return {
    ...{ name, kind, why, cwd, unit },
    config: config && { path: config.path, values: config.values, text: config.text },
    units: files,
    enabled,
    deploy: app.deploy.length === 0 ? [] : showDeploy(app, isUser),
    taken,
    without: notes
  };
}

function showApp(app: ImportedApp, isUser: boolean, paint: Io['paint']): string {
  const { name, kind, why, config, units, unit, taken, notes } = app;
  const title = kind === 'handover' ? '' : `, not for handover: ${why}. A unit of its own does without.`;
  const file = (path: string, text: string) => `${paint('dim', `# ${path}`)}\n${text.trimEnd()}`;
  const files = [
    ...(config ? [file(config.path, config.text)] : []),
    ...units.map((one) => file(join(unitFolder(isUser), one.name), one.text))
  ];
  return [
    `${paint('bold', `== ${name}`)}${title}`,
    ...files,
    ...(app.deploy.length === 0
      ? []
      : [
          `On each deploy:\n${showDeploy(app, isUser)
            .map((line) => `  ${line}`)
            .join('\n')}`
        ]),
    ...(taken.length === 0 ? [] : [`Taken over of ${unit}: ${taken.join(', ')}.`]),
    notes.length === 0
      ? 'Nothing of it is without a counterpart.'
      : showNotes('Without a counterpart, or otherwise here', notes, paint)
  ].join('\n\n');
}

/** What was run after an update, and what brings the update about here. */
function showDeploy({ name, deploy, kind, unit }: ImportedApp, isUser: boolean): string[] {
  const place = isUser ? `--name ${name}` : `--socket ${unitSocketPath(unit)}`;
  const last = kind === 'handover' ? `handover reload ${place}` : showSystemctl(isUser, 'restart', unit);
  return [...deploy, last];
}

function showNotes(title: string, notes: ImportedApp['notes'], paint: Io['paint']): string {
  const lines = notes.map(({ option, value, instead }) => {
    const shown = value === null ? option : `${option}: ${value}`;
    return `  ${paint('yellow', shown)}\n    ${instead}`;
  });
  return [`${title}:`, ...lines].join('\n');
}

function showEnd(
  apps: readonly ImportedApp[],
  flags: ImportFlags,
  written: readonly string[],
  started: boolean
): string {
  const isUser = flags.user === true;
  const units = apps.flatMap(({ enabled }) => enabled);
  const start = [showSystemctl(isUser, 'daemon-reload'), showSystemctl(isUser, 'enable', '--now', ...units)];
  const names = apps
    .map(({ name }) => (/^[\w.@-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`))
    .join(' ');
  if (!flags.install)
    return `Nothing was written, and nothing was started: --install writes these files. PM2 keeps the addresses as long as it
runs the apps, so at the change-over: \`pm2 delete ${names}\`, then ${start.map((one) => `\`${one}\``).join(', ')}.`;
  const files =
    written.length === 0
      ? 'All files are there as they should be.'
      : `Written:\n${written.map((path) => `  ${path}`).join('\n')}`;
  if (started) return `${files}\nStarted: ${units.join(', ')}. \`handover list\` shows them.`;
  return `${files}\nTo start them, once PM2 has let go of the addresses (\`pm2 delete ${names}\`):\n${start.map((one) => `  ${one}`).join('\n')}`;
}

function noEnvironment(name: string, names: readonly string[]): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `"--env-name" is not usable`,
    why: `no app has an "env_${name}"`,
    fix: names.length === 0 ? 'There is none in this file: leave it out' : `There are: ${names.join(', ')}`
  });
}

function noApp(name: string, names: readonly string[]): HandoverError {
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
    what: `"--only" is not usable`,
    why: `there is no app "${name}"`,
    fix: `There are: ${names.join(', ')}`
  });
}
