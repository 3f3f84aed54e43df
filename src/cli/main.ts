import { supervise } from '../supervise.ts';

const [, , cmd, entry, ...rest] = process.argv;
if (cmd === 'run' && entry) {
  const i = rest.indexOf('--listen');
  const w = rest.indexOf('--workers');
  await supervise({
    entry,
    ...(i >= 0 ? { listen: rest[i + 1] as string } : {}),
    ...(w >= 0 ? { workers: Number(rest[w + 1]) } : {})
  });
}
