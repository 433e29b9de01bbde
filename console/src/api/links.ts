// Links by which one person decides, once, without an account: docs/guide/people.md.

import { queryOptions } from '@tanstack/react-query';
import { answered, api, type Schemas } from './client';
import { queryClient } from './queries';
import { author } from './session';

export type DecisionLink = Schemas['DecisionLink'];

export const linksQuery = (approval: string) => queryOptions({
  queryKey: ['links', approval],
  queryFn: async () => (await answered(api.GET('/api/v1/approvals/{id}/links', { params: { path: { id: approval } } }))).links,
});
export const linksChanged = (approval: string): Promise<void> => queryClient.invalidateQueries({ queryKey: ['links', approval] });

export const makeLink = (approval: string, recipient: string, lasts: string): Promise<DecisionLink> => {
  const by = author();
  return answered(api.POST('/api/v1/approvals/{id}/links', { params: { path: { id: approval } }, body: { for: recipient, expires_in: lasts, ...(by ? { created_by: by } : {}) } }));
};
export const revokeLink = (approval: string, link: string): Promise<unknown> =>
  answered<unknown>(api.DELETE('/api/v1/approvals/{id}/links/{link}', { params: { path: { id: approval, link } } }));
