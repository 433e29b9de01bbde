// What was used and what it cost.

import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { By } from '../model/usage';
import { answered, api, type Schemas } from './client';

export type UsageRow = Schemas['Usage'] & { agent?: string; model?: string; provider?: string; version?: string; tool?: string; day?: string };

export interface UsageRange { from?: string | undefined; to?: string | undefined }

export const usageQuery = (by: By, range: UsageRange) => queryOptions({
  queryKey: ['usage', by, range.from ?? '', range.to ?? ''],
  queryFn: async () => {
    const report = await answered(api.GET('/api/v1/usage', { params: { query: { by, ...(range.from ? { from: range.from } : {}), ...(range.to ? { to: range.to } : {}) } } }));
    return { ...report, rows: report.rows as UsageRow[] };
  },
  placeholderData: keepPreviousData,
});
