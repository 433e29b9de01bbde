// A real identity provider for tests/api_e2e/test_oidc.py: npm's oidc-provider, with its own sign-in pages.
// node provider.mjs PORT REDIRECT_URI PEOPLE.json; node_modules beside it. Prints a line when it listens.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const [port, redirect, people] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const keys = await Promise.all(['RS256', 'ES256', 'EdDSA'].map(async (alg) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `of-${alg}` };
}));
const client = (id, alg, method) => ({
  client_id: id,
  redirect_uris: [redirect],
  id_token_signed_response_alg: alg,
  token_endpoint_auth_method: method,
  ...(method === 'none' ? {} : { client_secret: `secret of ${id}: +/%` }),
});

const provider = new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: ['for tests'] },
  clients: [client('basic', 'RS256', 'client_secret_basic'), client('post', 'EdDSA', 'client_secret_post'), client('public', 'ES256', 'none')],
  claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
  conformIdTokenClaims: process.env.CLAIMS_IN_TOKEN !== '1',
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: JSON.parse(readFileSync(people, 'utf8'))[id] ?? [] }),
  }),
});
createServer(provider.callback()).listen(Number(port), '127.0.0.1', () => console.log('listening'));
