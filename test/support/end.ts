import type { TestContext } from 'node:test';

const endings = new WeakMap<TestContext, (() => unknown)[]>();

/**
 * Does something at the end of a test: what was begun last is ended first, and one failure keeps nothing from ending.
 *
 * Not `t.after`, which goes from first to last: a folder would be removed under the processes that work in it.
 */
export function atEnd(t: TestContext, run: () => unknown): void {
  const known = endings.get(t);
  if (known) {
    known.push(run);
    return;
  }
  const all = [run];
  endings.set(t, all);
  t.after(async () => {
    const failures: unknown[] = [];
    for (let next = all.pop(); next; next = all.pop()) {
      try {
        await next();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  });
}
