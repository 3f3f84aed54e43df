/** Whoever wants to be told of something. */
export class Watchers<T extends readonly unknown[]> {
  readonly #all = new Set<(...news: T) => void>();

  /** @returns a function that ends the subscription */
  add(watcher: (...news: T) => void): () => void {
    this.#all.add(watcher);
    return () => this.#all.delete(watcher);
  }

  tell(...news: T): void {
    for (const watcher of this.#all) watcher(...news);
  }
}

/** A promise that is settled from outside. */
export function createSettled(): { readonly promise: Promise<void>; readonly settle: () => void } {
  let settle = () => {};
  const promise = new Promise<void>((done) => {
    settle = done;
  });
  return { promise, settle };
}
