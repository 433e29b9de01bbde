// Which of their tools agents may use: docs/guide/grants.md.

import { queryOptions } from '@tanstack/react-query';
import { answered, api, type Schemas } from './client';
import { queryClient } from './queries';

export type ToolGrant = Schemas['ToolGrant'];

export const grantsQuery = queryOptions({ queryKey: ['grants'], queryFn: () => answered(api.GET('/api/v1/grants')) });
export const grantsChanged = (): Promise<void> => queryClient.invalidateQueries({ queryKey: grantsQuery.queryKey });

export interface NewGrant { agent: string; team: string; environment: string; mode: 'allow' | 'deny'; tools: string[]; reason: string }
// What is left out is every one.
export const addGrant = ({ agent, team, environment, mode, tools, reason }: NewGrant): Promise<ToolGrant> => answered(api.POST('/api/v1/grants', {
  body: { mode, tools, agent: agent || '*', team: team || '*', environment: environment || '*', ...(reason ? { reason } : {}) },
}));

// `open`: also when it is the last one that limits its agents.
export const revokeGrant = (id: string, open: boolean): Promise<ToolGrant> => answered(api.DELETE('/api/v1/grants/{id}', { params: { path: { id }, query: { open } } }));
