// One action on all runs of a filter, a page after the other.

import type { TimeRange } from '../model/histogram';
import { answered, api } from './client';
import { queryClient } from './queries';
import { author } from './session';

export type BulkAction = 'pause' | 'resume' | 'fail' | 'cancel' | 'retry';
export type BulkStatus = 'queued' | 'running' | 'paused' | 'parked' | 'completed' | 'failed' | 'canceled' | 'terminated' | 'timed_out';
export interface BulkRow { run: string; agent: string; status: string; ok: boolean; started?: string; why?: string }
export interface BulkAsked extends TimeRange { action: BulkAction; status: BulkStatus; agent?: string | undefined; dryRun: boolean }

const PAGE = 100;

// `more` has the rows as they come and says whether to go on.
export async function bulk(asked: BulkAsked, more: (rows: BulkRow[]) => boolean): Promise<void> {
  let cursor: string | null = null;
  do {
    const page: { runs: BulkRow[]; next_cursor: string | null } = await answered(api.POST('/api/v1/runs/bulk', {
      body: {
        action: asked.action, status: asked.status, dry_run: asked.dryRun, limit: PAGE, by: author(), reason: `${asked.action}: a batch in the console`,
        ...(asked.agent ? { agent: asked.agent } : {}), ...(asked.from ? { from: asked.from } : {}), ...(asked.to ? { to: asked.to } : {}), ...(cursor ? { cursor } : {}),
      },
    }));
    cursor = page.next_cursor;
    if (!more(page.runs)) break;
  } while (cursor !== null);
  if (!asked.dryRun) void queryClient.invalidateQueries({ queryKey: ['run'] });
}
