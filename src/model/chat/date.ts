const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September'],
  ...['October', 'November', 'December'],
];

/**
 * A template's date where nobody gave one, so that a build gives the same image every day. It is
 * what Llama 3's templates say where they cannot ask.
 */
export const DEFAULT_DATE = '2024-07-26';

/** The day, if a text is one that there is, such as 2026-02-28; else undefined. */
export function parseDate(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const day = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text) ? undefined : text;
}

/** The day of SOURCE_DATE_EPOCH, seconds since 1970 (reproducible-builds.org), in UTC. */
export function dateOfEpoch(seconds: string | undefined): string | undefined {
  if (!/^\d{1,11}$/.test(seconds ?? '')) return undefined;
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
}

/**
 * A day (YYYY-MM-DD) at midnight, as Python's strftime writes it in English. What it does not know
 * stays as it stands.
 */
export function formatDate(date: string, format: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  const two = (value: number) => String(value).padStart(2, '0');
  const month = MONTHS[day.getUTCMonth()];
  const weekday = DAYS[day.getUTCDay()];
  const parts: Record<string, string> = {
    ...{ Y: String(day.getUTCFullYear()), y: two(day.getUTCFullYear() % 100) },
    ...{ m: two(day.getUTCMonth() + 1), B: month, b: month.slice(0, 3) },
    ...{ d: two(day.getUTCDate()), '-d': String(day.getUTCDate()) },
    ...{ A: weekday, a: weekday.slice(0, 3), H: '00', M: '00', S: '00', '%': '%' },
  };
  return format.replace(/%(-?[A-Za-z]|%)/g, (code, letter) => parts[letter] ?? code);
}
