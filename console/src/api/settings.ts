// People, keys, sessions and groups: docs/guide/identity.md; named secrets: docs/guide/secrets.md.

import { queryOptions } from '@tanstack/react-query';
import type { Roles } from '../model/roles';
import { answered, api, type Schemas } from './client';
import { queryClient } from './queries';

export type Principal = Schemas['Principal'];
export type Credential = Schemas['Credential'];
export type Group = Schemas['Group'];
export type Secret = Schemas['Secret'];

const KEY = 'identity';
// All of it: who may what may have changed with any of it.
export const identityChanged = (): Promise<void> => queryClient.invalidateQueries({ queryKey: [KEY] });

export const usersQuery = queryOptions({ queryKey: [KEY, 'users'], queryFn: async () => (await answered(api.GET('/api/v1/users'))).users });
export const keysQuery = queryOptions({ queryKey: [KEY, 'keys'], queryFn: async () => (await answered(api.GET('/api/v1/keys'))).keys });
export const sessionsQuery = queryOptions({ queryKey: [KEY, 'sessions'], queryFn: async () => (await answered(api.GET('/api/v1/sessions'))).sessions });

export const addUser = (name: string, password: string, roles: Roles) => answered(api.POST('/api/v1/users', { body: { name, password, roles } }));

export interface UserChange { roles?: Roles; disabled?: boolean; password?: string }
export const changeUser = (name: string, change: UserChange) => answered(api.PATCH('/api/v1/users/{name}', { params: { path: { name } }, body: change }));

export interface NewKey { principal: string; label: string; roles?: Roles | undefined; expiresIn?: number | undefined }
export const createKey = ({ principal, label, roles, expiresIn }: NewKey) => answered(api.POST('/api/v1/keys', {
  body: { principal, ...(label ? { label } : {}), ...(roles ? { roles } : {}), ...(expiresIn ? { expires_in: expiresIn } : {}) },
}));
export const rotateKey = (id: string, grace: number) => answered(api.POST('/api/v1/keys/{id}/rotate', { params: { path: { id } }, body: { grace } }));
export const revokeKey = (id: string): Promise<unknown> => answered<unknown>(api.DELETE('/api/v1/keys/{id}', { params: { path: { id } } }));
export const endSession = (id: string): Promise<unknown> => answered<unknown>(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } }));
export const changeOwnPassword = (password: string, fresh: string) => answered(api.POST('/api/v1/session/password', { body: { password, new_password: fresh } }));

// What groups of identity providers mean here, from the next sign-in of their people on.
export const groupsQuery = queryOptions({ queryKey: [KEY, 'groups'], queryFn: async () => (await answered(api.GET('/api/v1/groups'))).groups });
export interface GroupMeaning { provider: string; group: string; roles: Roles; teams: string[] }
export const setGroup = ({ provider, group, roles, teams }: GroupMeaning) => answered(api.PUT('/api/v1/groups/{provider}/{group}', { params: { path: { provider, group } }, body: { roles, teams } }));
export const deleteGroup = ({ provider, group }: Group): Promise<unknown> => answered<unknown>(api.DELETE('/api/v1/groups/{provider}/{group}', { params: { path: { provider, group } } }));

// Values go in and do not come out.
export const secretsQuery = queryOptions({ queryKey: ['secrets'], queryFn: async () => (await answered(api.GET('/api/v1/secrets'))).secrets });
export const secretsChanged = (): Promise<void> => queryClient.invalidateQueries({ queryKey: secretsQuery.queryKey });
export type SecretValue = { value: string } | { value_base64: string };
export const setSecret = (name: string, value: SecretValue) => answered(api.PUT('/api/v1/secrets/{name}', { params: { path: { name } }, body: value }));
export const deleteSecret = (name: string): Promise<unknown> => answered<unknown>(api.DELETE('/api/v1/secrets/{name}', { params: { path: { name } } }));
