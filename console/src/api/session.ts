// Who is asking, as the server knows it: docs/guide/identity.md.

import { queryOptions } from '@tanstack/react-query';
import type { Roles } from '../model/roles';
import { ApiProblem, answered, api } from './client';
import { queryClient } from './queries';

// `known`: by a credential, and not only as somebody on an open server.
export interface Known { name: string; open: boolean; session: boolean; known: boolean; roles: Roles }

// Null: the server wants to know who asks.
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Known | null> => {
    try {
      const { principal, kind, open, roles } = await answered(api.GET('/api/v1/session'));
      return { name: principal, open, session: kind === 'session', known: kind !== 'local' && kind !== 'nobody', roles: roles as Roles };
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity, // until a request is refused
});

const PAGE = 'console';
const signedInAs = (): string | undefined => {
  const who = queryClient.getQueryData(sessionQuery.queryKey);
  return who?.known ? who.name : undefined;
};

// Who does something: the server goes by the credential and by no name in a request; where it asks nobody for one, this
// page is all that there is to name.
export const author = (): string | undefined => (signedInAs() === undefined ? PAGE : undefined);
export const isOwnName = (name: string): boolean => name === (signedInAs() ?? PAGE);

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
