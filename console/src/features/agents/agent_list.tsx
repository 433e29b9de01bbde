// All agents, by name.

import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { agentPagesQuery } from '../../api/agents';
import { QueryState } from '../../ui/query_state';
import { useKeys } from '../../ui/use_keys';
import { useTitle } from '../../ui/use_title';
import { Ago } from '../../ui/when';
import { NoAgents } from './no_agents';
import './agents.css';

export function AgentList() {
  const query = useInfiniteQuery(agentPagesQuery);
  const list = useRef<HTMLUListElement>(null);
  useTitle('Agents');
  const agents = query.data?.pages.flatMap((page) => page.agents) ?? [];
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a.agent-name') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKeys([
    { keys: 'j', says: 'Next agent', run: () => move(1) },
    { keys: 'k', says: 'Agent before', run: () => move(-1) },
  ]);
  return (
    <div className="screen">
      <div className="title"><h1>Agents</h1></div>
      <QueryState of={query} />
      <ul className="agents" ref={list} aria-label="Agents" aria-busy={query.isPending}>
        {agents.map((agent) => (
          <li key={agent.name} className="agent">
            <Link className="agent-name" to="/agents/$name" params={{ name: agent.name }}>{agent.name}</Link>
            <span className="agent-says">{agent.description}</span>
            <code title={agent.version}>{agent.version.slice(0, 12)}</code>
            <span className="note">{agent.updated_at && <Ago at={agent.updated_at} />}</span>
            <Link className="agent-runs" to="/runs" search={{ agent: agent.name }} aria-label={`Runs of ${agent.name}`}>Runs</Link>
          </li>
        ))}
      </ul>
      {query.isSuccess && agents.length === 0 && <NoAgents />}
      {query.hasNextPage && <p><button className="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>More agents</button></p>}
    </div>
  );
}
