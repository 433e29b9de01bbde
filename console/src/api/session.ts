// Who is asking, as the server knows it: docs/guide/identity.md.

import { queryOptions } from '@tanstack/react-query';
import { fieldsOf, textOf } from '../model/events';
import { ApiProblem, answered, api } from './client';
import { queryClient } from './queries';

export interface Known { name: string; open: boolean; session: boolean }

// Null: the server wants to know who asks.
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Known | null> => {
    try {
      const known = fieldsOf(await answered(api.GET('/api/v1/session')));
      return { name: textOf(known['principal']), open: known['open'] === true, session: known['kind'] === 'session' };
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity, // until a request is refused
});

// A session that ended is noticed at the first request that is refused for it.
export function followRefusals(): void {
  queryClient.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'error') return;
    const { error } = event.action;
    if (error instanceof ApiProblem && error.status === 401 && queryClient.getQueryData(sessionQuery.queryKey) !== null) {
      queryClient.setQueryData(sessionQuery.queryKey, null);
    }
  });
}

export interface IdentityProvider { name: string; label: string }

// Where people may sign in besides with a password.
export const providersQuery = queryOptions({
  queryKey: ['session', 'providers'],
  queryFn: async (): Promise<IdentityProvider[]> => (await answered(api.GET('/api/v1/session/providers'))).providers,
  staleTime: Infinity,
});

// Where the browser goes to sign in; it comes back to `returnTo`.
export const beginSignIn = async (provider: string, returnTo: string) =>
  (await answered(api.POST('/api/v1/session/providers/{provider}', { params: { path: { provider } }, body: { return_to: returnTo } }))).url;

export const signIn = (name: string, password: string) => answered(api.POST('/api/v1/session', { body: { name, password } }));
export const setUp = (token: string, name: string, password: string) => answered(api.POST('/api/v1/setup', { body: { token, name, password } }));
export const signOut = () => answered(api.DELETE('/api/v1/session'));
