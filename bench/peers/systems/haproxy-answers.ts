/**
 * Reads the number of current sessions of one server from the answer to `show stat`.
 *
 * @throws Error when there is no such server in it, or no such column
 */
export function parseSessions(answer: string, backend: string, server: string): number {
  const [head = '', ...lines] = answer.trim().split('\n');
  const names = head.replace(/^# /, '').split(',');
  const column = (name: string) => names.indexOf(name);
  const row = lines
    .map((line) => line.split(','))
    .find((cells) => cells[column('pxname')] === backend && cells[column('svname')] === server);
  const value = row?.[column('scur')];
  if (!value || !/^\d+$/.test(value)) throw new Error(`HAProxy tells no sessions of ${backend}/${server}`);
  return Number(value);
}

/** What the runtime API objects to commands that change something, or null: where it obeys, it says nothing. */
export function parseRefusal(answer: string): string | null {
  const said = answer.trim();
  return said === '' ? null : said;
}
