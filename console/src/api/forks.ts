// Runs that go on from a place of another, and what two runs have in common: docs/guide/forks.md.

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Effect, ForkBody } from '../model/forks';
import { answered, api, type Schemas } from './client';
import { author } from './session';

export type ForkPlan = Omit<Schemas['ForkPlan'], 'effects'> & { effects: Effect[] };

// What a fork would do; nothing is started.
export const forkPlan = async (id: string, body: ForkBody): Promise<ForkPlan> =>
  (await answered(api.POST('/api/v1/runs/{id}/fork', { params: { path: { id } }, body: { ...body, dry_run: true } as never }))) as ForkPlan;

export const planQuery = (id: string, body: ForkBody) => queryOptions({
  queryKey: ['fork-plan', id, JSON.stringify(body)],
  queryFn: () => forkPlan(id, body),
});

// With the same key the same request is the same run.
export const startFork = (id: string, body: ForkBody, key: string) =>
  answered(api.POST('/api/v1/runs/{id}/fork', { params: { path: { id }, header: { 'Idempotency-Key': key } }, body: { ...body, by: author() } as never })) as Promise<Schemas['RunStarted']>;

// A closed run is taken up where it came to.
export const retryRun = (id: string, version: string) =>
  answered(api.POST('/api/v1/runs/{id}/retry', { params: { path: { id } }, body: { by: author() ?? null, ...(version ? { version } : {}) } }));

// What taking back would do, as the ledger has it now; nothing is started.
export const undoPlanQuery = (id: string) => queryOptions({
  queryKey: ['undo-plan', id],
  queryFn: async () => (await answered(api.POST('/api/v1/runs/{id}/undo', { params: { path: { id } }, body: { dry_run: true } }))) as Schemas['UndoPlan'],
  staleTime: 0,
  gcTime: 0,
});

export const undoRun = async (id: string, reason: string) =>
  (await answered(api.POST('/api/v1/runs/{id}/undo', { params: { path: { id } }, body: { by: author() ?? null, ...(reason.trim() ? { reason: reason.trim() } : {}) } }))) as Schemas['RunStarted'];

const PAGE = 50;
const DIFF_PAGE = 50;

export const forksQuery = (id: string) => infiniteQueryOptions({
  queryKey: ['forks', id],
  queryFn: ({ pageParam }) => answered(api.GET('/api/v1/runs/{id}/forks', { params: { path: { id }, query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page) => page.next_cursor,
});

export const runDiffQuery = (id: string, other: string) => infiniteQueryOptions({
  queryKey: ['run-diff', id, other],
  queryFn: ({ pageParam }) => answered(api.GET('/api/v1/runs/{id}/diff/{other}', { params: { path: { id, other }, query: { limit: DIFF_PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page) => page.next_cursor,
});

// What the other one says first, behind what both have.
export const firstBehindQuery = (id: string, other: string) => queryOptions({
  queryKey: ['run-diff', id, other, 'first'],
  queryFn: async () => (await answered(api.GET('/api/v1/runs/{id}/diff/{other}', { params: { path: { id, other }, query: { limit: 1 } } }))).b.messages[0] ?? null,
  staleTime: Infinity,
});
