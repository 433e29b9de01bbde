// What all grants together leave one agent: each tool that its current definition names, and which grant says so.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { agentQuery } from '../../api/agents';
import type { ToolGrant } from '../../api/grants';
import { agentsQuery } from '../../api/queries';
import { EVERY, grantedParts, verdictOf } from '../../model/grants';
import { QueryState } from '../../ui/query_state';

function Tools({ grants, agent, environment }: { grants: ToolGrant[]; agent: string; environment: string }) {
  const query = useQuery(agentQuery(agent));
  const { team, tools } = grantedParts(query.data?.definition);
  const scope = { agent, team, environment };
  return (
    <>
      <QueryState of={query} />
      <ul className="verdicts" aria-label={`Tools of ${agent}`} aria-busy={query.isPending}>
        {tools.map((tool) => {
          const { allowed, by } = verdictOf(grants, scope, tool);
          return (
            <li key={tool} data-tool={tool}>
              <code>{tool}</code> <span className={allowed ? 'chip completed' : 'chip failed'}>{allowed ? 'allowed' : 'not allowed'}</span>
              <span className="note">{by ? `by ${by.id}` : allowed ? 'no grant limits it' : 'others are allowed, and it is not'}</span>
            </li>
          );
        })}
      </ul>
      {query.isSuccess && tools.length === 0 && <p className="note">Its definition names no tools of its own; those of MCP servers are not listed here.</p>}
    </>
  );
}

export function Granted({ grants }: { grants: ToolGrant[] }) {
  const agents = useQuery(agentsQuery);
  const [agent, setAgent] = useState('');
  const [environment, setEnvironment] = useState('');
  const names = agents.data?.agents.map((one) => one.name) ?? [];
  const environments = [...new Set(grants.map((one) => one.environment).filter((one) => one !== EVERY))].toSorted();
  if (names.length === 0) return null;
  return (
    <section className="granted" aria-label="What an agent may use">
      <h2>What an agent may use</h2>
      <p className="granted-choice">
        <select aria-label="Agent" value={agent} onChange={(event) => setAgent(event.target.value)}>
          <option value="">Choose an agent</option>
          {names.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
        <select aria-label="Environment" value={environment} onChange={(event) => setEnvironment(event.target.value)}>
          <option value="">in no environment</option>
          {environments.map((name) => <option key={name} value={name}>in {name}</option>)}
        </select>
      </p>
      {agent && <Tools grants={grants} agent={agent} environment={environment} />}
    </section>
  );
}
