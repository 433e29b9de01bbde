// Words for times, sizes, money and states.

const DAY_MS = 86_400_000;

export function duration(from: string, to?: string | null, now = Date.now()): string {
  if (!from) return '';
  const ms = Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / 3_600_000)} h`;
}

export function ago(time: string, now = Date.now()): string {
  const s = Math.max(0, (now - Date.parse(time)) / 1000);
  if (s < 10) return 'now';
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  if (s < 7 * 86_400) return plural(Math.floor(s / 86_400), 'day') + ' ago';
  return new Date(time).toLocaleDateString(undefined, { dateStyle: 'medium' });
}

export function until(time: number, now = Date.now()): string {
  const s = (time - now) / 1000;
  if (s <= 0) return 'expired';
  if (s < 90) return `expires in ${Math.ceil(s)} s`;
  if (s < 5400) return `expires in ${Math.round(s / 60)} min`;
  if (s < 172_800) return `expires in ${Math.round(s / 3600)} h`;
  return `expires in ${Math.round(s / 86_400)} days`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

// Exact, as the server says it.
export const dollars = (usd: string): string => `$${usd}`;

// A moment as people here write it, its month as a word (3/4 is another day elsewhere), and a time of which an end may be open.
export const momentOf = (at: number): string => new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
export const rangeWords = ({ from, to }: { from?: string | undefined; to?: string | undefined }): string =>
  `${from ? momentOf(Date.parse(from)) : 'the beginning'} to ${to ? momentOf(Date.parse(to)) : 'now'}`;

export const plural = (count: number, word: string): string => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;

const MAX_PARSED = 1_000_000;

// Text that may be JSON, as a value; what is very long stays text, of which a part is shown at a time.
export function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > MAX_PARSED) return value;
  const first = value.trimStart()[0];
  if (first !== '{' && first !== '[') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

// What a person typed as text; of an input in other shapes, its JSON.
export const plainText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const MAX_LINE = 1000; // characters

// In one line, the beginning: what a person typed, or the names of an object with their values.
export const lineText = (value: unknown): string => (value !== null && typeof value === 'object' && !Array.isArray(value)
  ? Object.entries(value).map(([name, of]) => `${name}: ${plainText(of)}`).join(', ') : plainText(value)).slice(0, MAX_LINE).replaceAll(/\s+/g, ' ');
