import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { writeFile } from './folder.ts';
import { until } from './wait.ts';

/** A program in the place of `systemd-notify`: it writes down what it is told, and can be made to hang, or to fail. */
export class FakeNotify {
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    const script = `#!/bin/sh
echo "begin $*" >> ${folder}/told
while [ -e ${folder}/hang ]; do sleep 0.01; done
if [ -e ${folder}/fail ]; then echo "no such socket" >&2; exit 1; fi
echo "end" >> ${folder}/told
`;
    chmodSync(writeFile(join(folder, 'systemd-notify'), script), 0o755);
    this.env = { PATH: `${folder}${delimiter}${process.env.PATH}`, NOTIFY_SOCKET: '/run/systemd/notify' };
  }

  /** What it was told, one entry for each time; the clock is left out. */
  told(): string[] {
    return this.#lines()
      .filter((line) => line.startsWith('begin '))
      .map((line) => line.slice(6).replace(/(?<=MONOTONIC_USEC=)[1-9]\d+/, 'now'));
  }

  /** How many ran at once, at the most. */
  most(): number {
    let [now, most] = [0, 0];
    for (const line of this.#lines()) {
      now += line === 'end' ? -1 : 1;
      most = Math.max(most, now);
    }
    return most;
  }

  /** Waits until it was told something that fits. */
  async hears(text: RegExp): Promise<void> {
    await until(
      () => this.told().some((line) => text.test(line)),
      () => `${text} for systemd, which was told:\n${this.told().join('\n')}`
    );
  }

  do(what: 'hang' | 'fail'): void {
    writeFileSync(join(this.#folder, what), '');
  }

  #lines(): string[] {
    const path = join(this.#folder, 'told');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }
}
