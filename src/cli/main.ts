#!/usr/bin/env node
import { version } from '../version.ts';

// Whoever asks for the version alone waits for nothing else.
const [first = '', ...others] = process.argv.slice(2);
if (others.length === 0 && (first === '--version' || first === '-v')) process.stdout.write(`${version}\n`);
else await import('./begin.ts');
