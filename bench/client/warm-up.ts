/** Waits for the first answer of every client. */
export function createWarmUp(timeoutMs: number) {
  const names = new Set<string>();
  const { promise, resolve, reject } = withResolvers();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = () => {
    clearTimeout(timer);
    reject(new Error(`no answer within ${timeoutMs} ms for: ${[...names].join(', ')}`));
  };
  promise.catch(() => {}); // whoever called warm() gets the rejection; if nobody did, nobody wants it
  return {
    add(name: string): void {
      names.add(name);
    },
    answered(name: string): void {
      if (!names.delete(name) || names.size > 0) return;
      clearTimeout(timer);
      resolve();
    },
    /** Resolves when every client has had an answer; the deadline runs from the first time it is asked for. */
    get done(): Promise<void> {
      if (names.size === 0) resolve();
      else timer ??= setTimeout(giveUp, timeoutMs);
      return promise;
    },
    /** Ends the waiting of whoever still does. */
    giveUp
  };
}

function withResolvers() {
  let resolve = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
