// @vitest-environment node
// The client's types are those of the API's description as it is now, whatever the clock says of the files.

import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, test } from 'vitest';

test('the types that the client is checked against are those of the description', async () => {
  const description = new URL('../../../src/serve/http/openapi.json', import.meta.url);
  const made = astToString(await openapiTS(description, { emptyObjectsUnknown: true }));
  const used = readFileSync(new URL('../../generated/schema.d.ts', import.meta.url), 'utf8');
  expect(used.replace(/^\/\*\*[\s\S]*?\*\/\n*/, '').trim()).toBe(made.replace(/^\/\*\*[\s\S]*?\*\/\n*/, '').trim());
}, 30_000);
