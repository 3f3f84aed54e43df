import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PeersResult } from '../result.ts';
import { writeReport } from './index.ts';

// Draws the page anew from the figures of an earlier run: node --import tsx bench/peers/report/main.ts <json> [folder]
const [, , json, folder] = process.argv;
if (json === undefined) {
  process.stderr.write('usage: main.ts <json of bench:peers> [folder]\n');
  process.exitCode = 2;
} else {
  const result = JSON.parse(readFileSync(json, 'utf8')) as PeersResult;
  const { html, svg } = await writeReport(result, resolve(folder ?? dirname(json)));
  process.stdout.write(`${html}\n${svg}\n`);
}
