// Runs that have budgets, and raising one.

import { infiniteQueryOptions } from '@tanstack/react-query';
import { answered, api, type Schemas } from './client';
import { live } from './live';
import { paced, refreshPages } from './queries';

export type BudgetedRun = Schemas['BudgetedRun'];
interface Page { budgets: BudgetedRun[]; next_cursor: string | null }
const PAGE = 50;
const EVERY_MS = 5000; // what is used is told by no news

export const budgetsQuery = (waiting: boolean) => infiniteQueryOptions({
  queryKey: ['budgets', waiting],
  queryFn: ({ pageParam }): Promise<Page> =>
    answered(api.GET('/api/v1/budgets', { params: { query: { limit: PAGE, ...(waiting ? { waiting } : {}), ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page: Page) => page.next_cursor,
});

// Keeps a list current while it is looked at; the answer ends it.
export function followBudgets(waiting: boolean): () => void {
  const soon = paced(() => void refreshPages(budgetsQuery(waiting).queryKey), 1000);
  const stop = live.onNews(soon);
  const timer = setInterval(() => { if (!document.hidden) soon(); }, EVERY_MS);
  return () => {
    stop();
    clearInterval(timer);
  };
}

export type Raise = Partial<Record<'tokens' | 'calls' | 'tool_calls' | 'depth', number>> & { money?: string };
export const raiseBudget = (run: string, to: Raise) => answered(api.POST('/api/v1/runs/{id}/budget', { params: { path: { id: run } }, body: to }));
