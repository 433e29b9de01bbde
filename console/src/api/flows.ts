// Flows. A flow stands among agents as flow:NAME: its versions and what changed between two of them are asked for as an agent's.

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { agentOfFlow } from '../model/flow';
import type { Agent, AgentVersion } from './agents';
import { answered, api } from './client';

const PAGE = 100;

export const flowPagesQuery = infiniteQueryOptions({
  queryKey: ['flow-pages'],
  queryFn: ({ pageParam }) => answered(api.GET('/api/v1/flows', { params: { query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page) => page.next_cursor,
});

// `version` may be a hash or the beginning of one; absent: the current one.
export const flowQuery = (name: string, version?: string) => queryOptions({
  queryKey: ['flow', name, version ?? ''],
  queryFn: (): Promise<Agent | AgentVersion> => (version
    ? answered(api.GET('/api/v1/agents/{name}/versions/{version}', { params: { path: { name: agentOfFlow(name), version } } }))
    : answered(api.GET('/api/v1/flows/{name}', { params: { path: { name } } }))),
});

export const startFlow = (name: string, version: string, input: unknown, key: string) => answered(api.POST('/api/v1/flows/{name}/runs', {
  params: { path: { name }, header: { 'Idempotency-Key': key } }, body: { version, ...(input === undefined ? {} : { input: input as never }) },
}));
