// The record, which the server gives from its beginning: all of a time, up to a bound.

import { queryOptions } from '@tanstack/react-query';
import type { RecordFilter, RecordRow } from '../model/record';
import { answered, api } from './client';

export const MAX_ROWS = 10_000;
const PAGE = 1000;

export interface RecordPart { rows: RecordRow[]; whole: boolean } // the oldest first

async function rowsOf(filter: RecordFilter, from: string, signal: AbortSignal): Promise<RecordPart> {
  const rows: RecordRow[] = [];
  const { until, principal, kind, subject } = filter;
  let cursor = '';
  // A page may be empty and have others behind it; each moves on.
  while (rows.length < MAX_ROWS) {
    const page = await answered(api.GET('/api/v1/audit', {
      params: { query: { from, limit: PAGE, ...(until ? { until } : {}), ...(principal ? { principal } : {}), ...(kind ? { kind } : {}), ...(subject ? { subject } : {}), ...(cursor ? { cursor } : {}) } }, signal,
    }));
    rows.push(...page.rows);
    if (page.end) return { rows, whole: true };
    cursor = page.next_cursor;
  }
  return { rows, whole: false };
}

export const recordQuery = (filter: RecordFilter, from: string) => queryOptions({
  queryKey: ['record', filter.from ?? '', filter.until ?? '', filter.principal ?? '', filter.kind ?? '', filter.subject ?? ''],
  queryFn: ({ signal }) => rowsOf(filter, from, signal),
});
