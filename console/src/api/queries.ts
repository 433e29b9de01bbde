// What the server knows, as queries with one cache. News from the stream change it; no screen asks on its own.

import { QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { fieldsOf, textOf, type RunEvent } from '../model/events';
import { MAX_BINS, type TimeRange } from '../model/histogram';
import { mergePages, patchPages, type RunPage } from '../model/run_pages';
import { ApiProblem, answered, api, type Run, type RunSummary } from './client';
import { live } from './live';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // Whoever asks wrongly asks wrongly again.
      retry: (count, error) => count < 3 && !(error instanceof ApiProblem && error.status < 500),
    },
  },
});

export interface RunFilter extends TimeRange { status?: string | undefined; agent?: string | undefined }
type Page = RunPage<RunSummary>;
const PAGE = 100;

async function fetchRuns(filter: RunFilter, cursor: string | undefined, limit = PAGE): Promise<Page> {
  const query = { limit, cursor, status: filter.status || undefined, agent: filter.agent || undefined, from: filter.from, to: filter.to };
  return answered(api.GET('/api/v1/runs', { params: { query: query as { limit: number } } }));
}

export const runsQuery = (filter: RunFilter) => infiniteQueryOptions({
  queryKey: ['runs', filter.status ?? '', filter.agent ?? '', filter.from ?? '', filter.to ?? ''],
  queryFn: ({ pageParam }) => fetchRuns(filter, pageParam || undefined),
  initialPageParam: '',
  getNextPageParam: (page: Page) => page.next_cursor,
  staleTime: Infinity, // kept by mergeNews
});

// How many began when; of another window the old picture stands until the new one is there.
export const histogramQuery = (agent: string | undefined, { from, to }: TimeRange) => queryOptions({
  queryKey: ['histogram', agent ?? '', from ?? '', to ?? ''],
  queryFn: () => answered(api.GET('/api/v1/run-histogram', { params: { query: { bins: MAX_BINS, ...(agent ? { agent } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}) } } })),
  placeholderData: keepPreviousData,
});

// Keeps it current on news, not more often than every few seconds: it counts all runs. The answer ends it.
export const followHistogram = (): (() => void) => live.onNews(paced(() => void queryClient.invalidateQueries({ queryKey: ['histogram'] }), 3000));

export const runQuery = (id: string) => queryOptions({
  queryKey: ['run', id],
  queryFn: async () => answered(api.GET('/api/v1/runs/{id}', { params: { path: { id } } })) as Promise<Run>,
});

export const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: () => answered(api.GET('/api/v1/agents', { params: { query: { limit: 1000 } } })),
});

export const infoQuery = queryOptions({
  queryKey: ['info'],
  queryFn: async () => answered(api.GET('/api/v1/info')) as Promise<Record<string, string | null>>,
  staleTime: Infinity,
});

type Pages = InfiniteData<Page>;
// Pages keep their parameters: one each.
const withPages = (data: Pages, pages: Page[]): Pages => ({ pages, pageParams: data.pageParams.slice(0, pages.length) });

// A list and the detail say the same of a run.
export function patchRun(run: RunSummary): void {
  queryClient.setQueriesData<Pages>({ queryKey: ['runs'] }, (data) => data && withPages(data, patchPages(data.pages, run.id, (row) => ({
    ...row, status: run.status, waiting_on: run.waiting_on, hold: run.hold, spent: run.spent, closed_at: run.closed_at, reason: run.reason, started_at: run.started_at,
  } as RunSummary))));
}

// The first page of a list as it is now.
export async function refreshRuns(filter: RunFilter): Promise<void> {
  const { queryKey } = runsQuery(filter);
  if (!queryClient.getQueryData(queryKey)) return void (await queryClient.refetchQueries({ queryKey }));
  try {
    const fresh = await fetchRuns(filter, undefined);
    queryClient.setQueryData<Pages>(queryKey, (data) => data && withPages(data, mergePages(data.pages, fresh)));
  } catch { /* the stream says when the server is back */ }
}

// Of a list in pages one fetch ends another; behind this none does: neither a page that was asked for nor news is lost.
export async function settled(queryKey: readonly unknown[]): Promise<void> {
  await Promise.allSettled(queryClient.getQueryCache().findAll({ queryKey }).map((query) => query.promise));
}

export async function refreshPages(queryKey: readonly unknown[]): Promise<void> {
  await settled(queryKey);
  await queryClient.invalidateQueries({ queryKey });
}

const QUIET_MS = 150;

// At once when nothing was asked lately, and then not more often than this.
export function paced(work: () => void, every: number): () => void {
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      last = Date.now();
      work();
    }, Math.max(QUIET_MS, last + every - Date.now()));
  };
}

const refetchers = new Map<string, () => void>();

function refetchRun(id: string): void {
  let soon = refetchers.get(id);
  if (!soon) {
    soon = paced(() => {
      refetchers.delete(id);
      void queryClient.invalidateQueries({ queryKey: ['run', id] });
    }, 1000);
    refetchers.set(id, soon);
  }
  soon();
}

// News of the stream into the cache; the answer ends it.
export function followNews(): () => void {
  return live.onNews((event: RunEvent | null) => {
    if (event === null) return void queryClient.invalidateQueries({ queryKey: ['run'] });
    const id = event.type === 'run.created' || event.run.startsWith('$') ? textOf(fieldsOf(event.data)['run']) : event.run;
    if (queryClient.getQueryState(['run', id])) refetchRun(id);
  });
}

// Keeps the first page of a list current while it is looked at: on news, and every few seconds, since the feed tells of
// beginnings, ends and approvals only.
export function followRuns(filter: RunFilter): () => void {
  const soon = paced(() => void refreshRuns(filter), 500);
  const stop = live.onNews(soon);
  const timer = setInterval(() => { if (!document.hidden) soon(); }, 5000);
  soon();
  return () => {
    stop();
    clearInterval(timer);
  };
}
