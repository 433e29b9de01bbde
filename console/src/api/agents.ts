// Agents, their versions and labels.

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answered, api, type Schemas } from './client';
import { queryClient } from './queries';
import { author } from './session';

export type Agent = Schemas['Agent'];
export type AgentVersion = Schemas['AgentVersion'];
export type Label = Schemas['Label'];
export type Change = Schemas['Change'];
export interface Move { version: string; how: string; by: string; at: string; comment?: string; from?: string; move: number }

const PAGE = 100;

export const agentPagesQuery = infiniteQueryOptions({
  queryKey: ['agent-pages'],
  queryFn: ({ pageParam }) => answered(api.GET('/api/v1/agents', { params: { query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page) => page.next_cursor,
});

export const versionsQuery = (name: string) => infiniteQueryOptions({
  queryKey: ['agent', name, 'versions'],
  queryFn: ({ pageParam }) => answered(api.GET('/api/v1/agents/{name}/versions', { params: { path: { name }, query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: '',
  getNextPageParam: (page) => page.next_cursor,
});

// `version` may be a hash, the beginning of one, or a label; absent: the current one.
export const agentQuery = (name: string, version?: string) => queryOptions({
  queryKey: ['agent', name, 'version', version ?? ''],
  queryFn: (): Promise<Agent | AgentVersion> => (version
    ? answered(api.GET('/api/v1/agents/{name}/versions/{version}', { params: { path: { name, version } } }))
    : answered(api.GET('/api/v1/agents/{name}', { params: { path: { name } } }))),
});

export const labelsQuery = (name: string) => queryOptions({
  queryKey: ['agent', name, 'labels'],
  queryFn: async () => (await answered(api.GET('/api/v1/agents/{name}/labels', { params: { path: { name } } }))).labels,
});

export const labelQuery = (name: string, label: string) => queryOptions({
  queryKey: ['agent', name, 'label', label],
  queryFn: () => answered(api.GET('/api/v1/agents/{name}/labels/{label}', { params: { path: { name, label } } })),
});

export const diffQuery = (name: string, from: string, to: string) => queryOptions({
  queryKey: ['agent', name, 'diff', from, to],
  queryFn: () => answered(api.GET('/api/v1/agents/{name}/diff', { params: { path: { name }, query: { from, to } } })),
});

const etagOf = (label: Label): string => `"${label.move}"`;
export const agentChanged = (name: string) => queryClient.invalidateQueries({ queryKey: ['agent', name] });

// A label moves only from where its mover saw it; `seen` is absent for one that is new.
export const moveLabel = (name: string, label: string, version: string, comment: string, seen: Label | undefined, from?: string): Promise<Label> => answered(api.PUT('/api/v1/agents/{name}/labels/{label}', {
  params: { path: { name, label }, header: seen ? { 'If-Match': etagOf(seen) } : { 'If-None-Match': '*' } },
  body: { version, by: author(), ...(comment ? { comment } : {}), ...(from ? { from } : {}) },
}));

export const rollBackLabel = (name: string, label: Label, comment: string): Promise<Label> => answered(api.POST('/api/v1/agents/{name}/labels/{label}/rollback', {
  params: { path: { name, label: label.label }, header: { 'If-Match': etagOf(label) } },
  body: { by: author(), ...(comment ? { comment } : {}) },
}));
