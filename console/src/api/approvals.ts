// What waits for people, across all runs.

import { infiniteQueryOptions, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { textOf } from '../model/events';
import type { Whose } from '../model/whose';
import { answered, api, type Approval } from './client';
import { live } from './live';
import { paced, queryClient, refreshPages } from './queries';
import { author } from './session';

interface Page { approvals: Approval[]; next_cursor: string | null }
const PAGE = 100;
const EVERY_MS = 5000; // the feed tells of each; nobody tells of a clock, nor that a session has ended

const PENDING = ['approvals', 'pending']; // whoever's

export const pendingQuery = (whose: Whose = {}) => infiniteQueryOptions({
  queryKey: [...PENDING, whose.for ?? '', whose.team ?? ''],
  queryFn: ({ pageParam }): Promise<Page> =>
    answered(api.GET('/api/v1/approvals', { params: { query: { ...whose, status: 'pending', limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page: Page) => page.next_cursor,
  staleTime: Infinity, // kept by followPending
});

export const pendingOf = (data: InfiniteData<Page> | undefined): Approval[] => data?.pages.flatMap((page) => page.approvals) ?? [];

export const approvalQuery = (id: string) => queryOptions({
  queryKey: ['approval', id],
  queryFn: () => answered(api.GET('/api/v1/approvals/{id}', { params: { path: { id } } })),
});

export const refreshPending = (): Promise<void> => refreshPages(PENDING);

export type Decision = 'approve' | 'edit' | 'reject' | 'answer';

export interface Decided { id: string; decision: Decision; sha256: string; comment?: string; arguments?: Record<string, unknown> | undefined; answer?: unknown; forRun?: boolean }

// Of whatever decided: the run goes on, and the inbox has one less.
export function decisionSent(run: string): void {
  void queryClient.invalidateQueries({ queryKey: ['run', run] });
  void refreshPending();
}

// The server takes one decision for the arguments that were seen, and tells all others who was first.
export const decide = (one: Decided): Promise<Partial<Approval>> => answered<Partial<Approval>>(api.POST('/api/v1/approvals/{id}/decision', {
  params: { path: { id: one.id } },
  body: {
    decision: one.decision, decided_by: author(), arguments_sha256: one.sha256, ...(one.comment ? { comment: one.comment } : {}),
    ...(one.decision === 'edit' ? { arguments: one.arguments } : {}),
    ...(one.decision === 'approve' && one.forRun ? { scope: 'run' as const } : {}),
    ...(one.decision === 'answer' ? { answer: one.answer as Record<string, unknown> } : {}),
  },
}));

// Keeps what is pending current; more pages are asked for more seldom. The answer ends it.
export function followPending(): () => void {
  const soon = paced(() => void refreshPending(), 500);
  const stop = live.onNews((event) => {
    if (event === null || event.run.startsWith('$') || event.type.startsWith('approval.')) soon();
    if (event?.type.startsWith('approval.')) {
      void queryClient.invalidateQueries({ queryKey: ['approval', textOf((event.data as { approval?: string }).approval)] });
    }
  });
  let rest = 1;
  const timer = setInterval(() => {
    if (document.hidden || --rest > 0) return;
    rest = Math.max(1, ...queryClient.getQueriesData<InfiniteData<Page>>({ queryKey: PENDING, type: 'active' }).map(([, data]) => data?.pages.length ?? 1));
    soon();
  }, EVERY_MS);
  return () => {
    stop();
    clearInterval(timer);
  };
}

export interface KeptFile { blob: string; bytes: number; media_type: string; name?: string }

// Goes before the answer that names it.
export const sendFile = (approval: string, field: string, file: File): Promise<KeptFile> =>
  answered(api.POST('/api/v1/approvals/{id}/files', {
    params: { path: { id: approval }, query: { field, name: file.name } }, body: file as unknown as string, bodySerializer: (body) => body, headers: { 'Content-Type': 'application/octet-stream' },
  }));
