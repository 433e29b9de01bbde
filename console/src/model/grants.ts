// Which of its tools an agent may use, as the server judges it (src/agents/grant/tool_grants.cc): a deny wins; where a grant
// allows something, only what such grants list is allowed; where none fits, everything that the definition names. Pure.

import { fieldsOf, textOf } from './events';

export const EVERY = '*';

export interface ToolGrant { id: string; agent: string; team: string; environment: string; mode: string; tools: string[]; reason: string; set_by: string; set_at: string }
export interface GrantScope { agent: string; team: string; environment: string } // team and environment may be empty: none

const covers = (said: string, is: string): boolean => said === EVERY || said === is;
export const fits = (grant: ToolGrant, scope: GrantScope): boolean =>
  covers(grant.agent, scope.agent) && covers(grant.team, scope.team) && covers(grant.environment, scope.environment);
export const lists = (tools: readonly string[], tool: string): boolean =>
  tools.some((one) => (one.endsWith('*') ? tool.startsWith(one.slice(0, -1)) : one === tool));

export interface Verdict { tool: string; allowed: boolean; by: ToolGrant | undefined } // by whom; undefined: no grant says so

export function verdictOf(grants: readonly ToolGrant[], scope: GrantScope, tool: string): Verdict {
  const here = grants.filter((grant) => fits(grant, scope));
  const denied = here.find((grant) => grant.mode === 'deny' && lists(grant.tools, tool));
  if (denied) return { tool, allowed: false, by: denied };
  const allowing = here.filter((grant) => grant.mode === 'allow');
  const allowed = allowing.find((grant) => lists(grant.tools, tool));
  return { tool, allowed: allowing.length === 0 || allowed !== undefined, by: allowed };
}

// Whom a grant is about, as one says it.
export function scopeWords({ agent, team, environment }: Pick<ToolGrant, 'agent' | 'team' | 'environment'>): string {
  const who = agent === EVERY ? 'every agent' : agent;
  return [who, team === EVERY ? '' : `of team ${team}`, environment === EVERY ? '' : `in ${environment}`].filter(Boolean).join(' ');
}

// "pay, crm__* look_up" as names of tools.
export const toolsOf = (typed: string): string[] => [...new Set(typed.split(/[\s,]+/).filter(Boolean))];

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// What a definition says of itself that grants are about. Tools of MCP servers are not in it: their servers name them.
export function grantedParts(definition: unknown): { team: string; tools: string[] } {
  const { metadata, spec } = fieldsOf(definition);
  const tools = listOf(fieldsOf(spec)['tools']).map((tool) => textOf(fieldsOf(tool)['name'])).filter(Boolean);
  return { team: textOf(fieldsOf(metadata)['team']), tools };
}
