// What was used and what it cost, in words and as points of a chart. Unpriced is not free.

import { dollars } from './text';

export interface Cost { usd?: string; price_as_of?: string; without_unpriced_calls?: number }
export interface Used {
  model_calls?: number;
  tool_calls?: number;
  input_tokens?: number;
  output_tokens?: number;
  cost?: Cost | null;
  unpriced_calls?: number;
}

export const BY = ['agent', 'model', 'version', 'tool', 'day'] as const;
export type By = (typeof BY)[number];
export type Measure = 'cost' | 'tokens';

export const tokensOf = (used: Used): number => (used.input_tokens ?? 0) + (used.output_tokens ?? 0);

// null: nobody knows.
export const usdOf = (used: Used): number | null => {
  if (!used.model_calls && !used.unpriced_calls) return used.cost?.usd ? Number(used.cost.usd) : null;
  return used.cost?.usd === undefined ? null : Number(used.cost.usd);
};

export function costWords(used: Used): string {
  if (used.cost?.usd === undefined) return used.model_calls || used.unpriced_calls ? 'unpriced' : '';
  const without = used.cost.without_unpriced_calls ?? 0;
  return without > 0 ? `${dollars(used.cost.usd)} + ${without.toLocaleString('en')} unpriced` : dollars(used.cost.usd);
}

const DAY_MS = 86_400_000;
export const MAX_DAYS = 1000;
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
export const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && dayOf(Date.parse(text)) === text;

export interface DayPoint { day: string; at: number; usd: number | null; tokens: number; words: string }

// Every day of the range, the oldest first. A day of which nothing is known used nothing.
export function dayPoints(rows: readonly (Used & { day?: string })[], from: string, to: string): DayPoint[] {
  const known = new Map(rows.map((row) => [row.day, row]));
  const out: DayPoint[] = [];
  for (let at = Math.max(Date.parse(from), Date.parse(to) - (MAX_DAYS - 1) * DAY_MS); at <= Date.parse(to); at += DAY_MS) {
    const row = known.get(dayOf(at));
    out.push({ day: dayOf(at), at, usd: row ? usdOf(row) : 0, tokens: row ? tokensOf(row) : 0, words: row ? costWords(row) || '$0.00' : '$0.00' });
  }
  return out;
}
