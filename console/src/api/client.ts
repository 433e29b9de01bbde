// The API, typed by its OpenAPI document: `npm run api` writes generated/schema.d.ts from src/serve/http/openapi.json.

import createClient from 'openapi-fetch';
import { ApiProblem, type ProblemDocument } from '../model/problem';
import type { components, paths } from '../../generated/schema';

export { ApiProblem };

export type Schemas = components['schemas'];
export type RunSummary = Schemas['RunSummary'];
export type Run = Schemas['Run'];
export type Approval = Schemas['Approval'];

export const api = createClient<paths>({ baseUrl: '' });

// The data of an answer; throws what the server, or the way to it, has to say otherwise.
export async function answered<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok || error !== undefined) throw new ApiProblem(response.status, error as ProblemDocument | undefined);
  return data as T;
}
