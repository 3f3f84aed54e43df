import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Player } from './player.ts';
import { readSetting, usual } from './script.ts';

// Each file in transcripts/ tells stories in this form, one after the other, with an empty line between them:
//
//   # what happens, in words
//   with workers=2 keepWarmMs=0     <- optional: what differs from the usual options
//   steady active=6                 <- where it begins
//   > reload ./v7.js                <- news
//     starting active=6 candidate=7 <- what the state is then
//       ! fork 7.1 ./v7.js          <- and what the supervisor is told to do, in this order
//
// A generation's workers are only named where they are not all what one expects of its role. Orders are numbered from 1.
// UPDATE_TRANSCRIPTS=1 writes the indented lines anew. Read the diff then: each changed line is a changed promise.

const folder = new URL('./transcripts/', import.meta.url);
const update = process.env.UPDATE_TRANSCRIPTS === '1';

function replay(story: string): string {
  const written = story.split('\n').filter((line) => !line.startsWith(' '));
  let setting = usual;
  let player: Player | null = null;
  const lines: string[] = [];
  for (const line of written) {
    lines.push(line);
    if (line.startsWith('with ')) setting = readSetting(line);
    else if (line.startsWith('> ')) lines.push(...(player ?? fail(line)).play(line.slice(2).trim()));
    else if (line !== '' && !line.startsWith('#')) player = new Player(line, setting);
  }
  return lines.join('\n');
}

function fail(line: string): never {
  throw new Error(`"${line}" comes before the state that the story begins in`);
}

for (const name of readdirSync(folder).sort()) {
  const file = new URL(name, folder);
  const stories = readFileSync(file, 'utf8').trimEnd().split(/\n\n+/);
  if (update) {
    writeFileSync(file, `${stories.map(replay).join('\n\n')}\n`);
    console.warn(`${name} was written anew: understand every changed line before you keep it.`);
    continue;
  }
  for (const story of stories) {
    const title = story
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .map((line) => line.slice(2))
      .join(' ');
    test(`${name.replace('.txt', '')}: ${title}`, () => assert.equal(replay(story), story));
  }
}
