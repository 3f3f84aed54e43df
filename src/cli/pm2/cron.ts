const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *'
};

/**
 * Writes a pattern of cron as systemd's timers have it. Where both a day of the month and a day of the week are given, cron
 * means either, and systemd both: that makes two lines.
 *
 * @returns the values of `OnCalendar=`; null for what is no such pattern
 * @source crontab(5), systemd.time(7)
 */
export function toCalendar(pattern: string): readonly string[] | null {
  const fields = (NICKNAMES[pattern.trim().toLowerCase()] ?? pattern).trim().split(/\s+/);
  if (fields.length === 5) fields.unshift('0');
  if (fields.length !== 6) return null;
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const time = [readField(hour, 0, 23), readField(minute, 0, 59), readField(second, 0, 59)];
  const days = readField(day === '?' ? '*' : day, 1, 31);
  const months = readField(replaceNames(month, MONTHS, 1), 1, 12);
  const week = readWeekdays(weekday === '?' ? '*' : weekday);
  if (days === null || months === null || week === null || time.includes(null)) return null;
  const at = (date: string, dayOfWeek: string) =>
    `${dayOfWeek}${dayOfWeek && ' '}*-${months}-${date} ${time.join(':')}`;
  if (days === '*' || week === '') return [at(days, week)];
  return [at(days, ''), at('*', week)];
}

/** One field of numbers: `*`, `5`, `1-5`, `0-30/10` and lists of them. */
function readField(field: string, least: number, most: number): string | null {
  const parts = field.split(',').map((part) => readPart(part, least, most));
  if (parts.includes(null)) return null;
  return parts.includes('*') ? '*' : parts.join(',');
}

function readPart(part: string, least: number, most: number): string | null {
  const [, from = '', to, step] = /^(\*|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? [];
  if (from === '' || (from === '*' && to !== undefined)) return null;
  const first = from === '*' ? least : Number(from);
  const last = to === undefined ? (from === '*' || step !== undefined ? most : first) : Number(to);
  const every = step === undefined ? 1 : Number(step);
  if (first < least || last > most || first > last || every < 1) return null;
  if (from === '*' && every === 1) return '*';
  const two = (value: number) => String(value).padStart(2, '0');
  if (first === last) return two(first);
  if (every === 1) return `${two(first)}..${two(last)}`;
  return last === most ? `${two(first)}/${every}` : `${two(first)}..${two(last)}/${every}`;
}

/** The days of a week by their names; empty for all of them. */
function readWeekdays(field: string): string | null {
  if (field === '*') return '';
  const named = replaceNames(
    field,
    DAYS.slice(0, 7).map((day) => day.toLowerCase()),
    0
  );
  const days = named.split(',').map((part) => {
    const [, from = '', to, step] = /^(\*|[0-7])(?:-([0-7]))?(?:\/(\d))?$/.exec(part) ?? [];
    if (from === '') return null;
    const first = from === '*' ? 0 : Number(from);
    const last = to === undefined ? (from === '*' || step !== undefined ? 6 : first) : Number(to);
    const every = Number(step ?? 1);
    if (first > last || every < 1) return null;
    return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, at) => DAYS[first + at * every]);
  });
  if (days.includes(null)) return null;
  const all = [...new Set(days.flat())];
  return all.length === 7 ? '' : all.join(',');
}

function replaceNames(field: string, names: readonly string[], first: number): string {
  return field.toLowerCase().replace(/[a-z]+/g, (name) => {
    const at = names.indexOf(name.slice(0, 3));
    return at < 0 ? name : String(at + first);
  });
}
