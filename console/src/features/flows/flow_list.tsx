// All flows, by name.

import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { flowPagesQuery } from '../../api/flows';
import { agentOfFlow } from '../../model/flow';
import { QueryState } from '../../ui/query_state';
import { useKeys } from '../../ui/use_keys';
import { useTitle } from '../../ui/use_title';
import { Ago } from '../../ui/when';
import '../agents/agents.css';

export function FlowList() {
  const query = useInfiniteQuery(flowPagesQuery);
  const list = useRef<HTMLUListElement>(null);
  useTitle('Flows');
  const flows = query.data?.pages.flatMap((page) => page.flows) ?? [];
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a.agent-name') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKeys([
    { keys: 'j', says: 'Next flow', run: () => move(1) },
    { keys: 'k', says: 'Flow before', run: () => move(-1) },
  ]);
  return (
    <div className="screen">
      <div className="title"><h1>Flows</h1></div>
      <QueryState of={query} />
      <ul className="agents" ref={list} aria-label="Flows" aria-busy={query.isPending}>
        {flows.map((flow) => (
          <li key={flow.name} className="agent" data-flow={flow.name}>
            <Link className="agent-name" to="/flows/$name" params={{ name: flow.name }}>{flow.name}</Link>
            <span className="agent-says">{flow.description}</span>
            <code title={flow.version}>{flow.version.slice(0, 12)}</code>
            <span className="note">{flow.updated_at && <Ago at={flow.updated_at} />}</span>
            <Link className="agent-runs" to="/runs" search={{ agent: agentOfFlow(flow.name) }} aria-label={`Runs of ${flow.name}`}>Runs</Link>
          </li>
        ))}
      </ul>
      {query.isSuccess && flows.length === 0 && <p className="empty">No flow is registered yet: <code>holdfast flow apply flow.yaml</code></p>}
      {query.hasNextPage && <p><button className="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>More flows</button></p>}
    </div>
  );
}
