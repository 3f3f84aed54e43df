import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tryCode } from './docs/code.ts';
import { cannotCheck, checkConfiguration } from './docs/configuration.ts';
import { findCommands, findFences, findSpans } from './docs/fences.ts';
import { Machine } from './docs/machine.ts';
import { PAGES, ROOT } from './docs/pages.ts';
import { findMistakes, findScripts, readUsage } from './docs/usage.ts';

// What the docs say is done as it stands there, only on ports of the system's choice and in a folder of the test's.

for (const page of PAGES) {
  const fences = findFences(page);

  const story = fences.filter(({ kind }) => kind === 'command' || kind === 'code');
  if (story.length > 0) {
    test(`${page.path}: its commands and its code do what they should, in their order`, async (t) => {
      const machine = new Machine(t);
      for (const fence of story) {
        if (fence.kind === 'code') await step(fence.at, () => tryCode(machine, fence));
        else for (const { at, command } of findCommands(fence)) await step(at, () => machine.give(command));
      }
      await machine.stop();
    });
  }

  for (const fence of fences.filter(({ kind }) => kind === 'configuration')) {
    test(`${fence.at}: ${fence.language} accepts the configuration`, { skip: cannotCheck(fence) }, (t) => {
      checkConfiguration(new Machine(t), fence);
    });
  }
}

/** Does one thing of a page. A failure says where it stands. */
async function step(at: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw new Error(`${at}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

for (const language of ['ini', 'nginx', 'haproxy']) {
  const fence = { at: 'page.md:1', language, text: 'no_such_setting 1;\n', kind: 'configuration' } as const;
  test(`a mistake in a configuration is found (${language})`, { skip: cannotCheck(fence) }, (t) => {
    assert.throws(() => checkConfiguration(new Machine(t), fence), /no_such_setting|shop\.service/);
  });
}

test('every command and every flag that the docs name exists', async () => {
  const usage = await readUsage();
  assert.ok((usage.get('run')?.length ?? 0) > 20 && usage.has('retire'), 'the help was read');
  const mistakes = PAGES.flatMap((page) => {
    const lines = findFences(page).flatMap(({ text }) => text.split('\n'));
    return [...findSpans(page), ...lines].flatMap((code) =>
      findMistakes(code, usage).map((mistake) => `${page.path}: \`${code}\`: ${mistake}`)
    );
  });

  for (const path of ['examples/kubernetes/shop.yaml', 'examples/docker/compose.yaml']) {
    // The words of a list, on one line.
    const text = readFileSync(join(ROOT, path), 'utf8')
      .replace(/ #.*/g, '')
      .replace(/\n +- |[[\],]/g, ' ');
    const commands = text.split('\n').filter((line) => line.includes('bin/handover'));
    assert.ok(commands.length > 0);
    mistakes.push(...commands.flatMap((line) => findMistakes(line, usage)));
  }
  assert.deepEqual(mistakes, []);
});

test('a command or a flag that does not exist is found', async () => {
  const usage = await readUsage();
  assert.deepEqual(findMistakes('npx handover relaod --wait', usage), ['there is no command "relaod"']);
  assert.deepEqual(findMistakes('handover status --wait | cat', usage), ['"status" has no --wait']);
  assert.deepEqual(findMistakes('--keepwarm 0', usage), ['no command has --keepwarm']);
  assert.deepEqual(findMistakes('handover reload --label v4 -- --verbose', usage), []);
});

test('every npm script that the docs name exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const named = PAGES.flatMap(({ text }) => findScripts(text));
  assert.ok(named.includes('bench:peers'));
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    []
  );
});

test('a fence that nothing runs is refused, unless it says why', () => {
  const fence = '```yaml\na: 1\n```\n';
  assert.throws(
    () => findFences({ path: 'page.md', text: fence }),
    /^Error: page\.md:1: nothing runs a fence of "yaml"/
  );
  const text = `<!-- not run: there is no such program -->\n${fence}`;
  assert.deepEqual(findFences({ path: 'page.md', text })[0]?.kind, null);
  assert.throws(() => findFences({ path: 'page.md', text: `<!-- not run: -->\n${fence}` }), /nothing runs/);
});
