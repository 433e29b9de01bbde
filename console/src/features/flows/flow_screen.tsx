// One flow: a version of it as a graph and as text, what changed against another, and a run of it. The address says which.

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { flowQuery } from '../../api/flows';
import { fieldsOf, textOf } from '../../model/events';
import { agentOfFlow, graphOf, waitsWords, type Graph } from '../../model/flow';
import { plural } from '../../model/text';
import { yamlOf } from '../../model/yaml';
import { QueryState } from '../../ui/query_state';
import type { DefinitionSearch } from '../agents/agent_screen';
import { Changes } from '../agents/changes';
import { Lines } from '../agents/lines';
import { Versions } from '../agents/versions';
import { FlowGraph, useLayout } from './flow_graph';
import { StartFlow } from './start_flow';
import '../agents/agents.css';
import './flows.css';

type View = 'graph' | 'definition' | 'changes' | 'start';
const VIEWS: readonly [View, string][] = [['graph', 'Graph'], ['definition', 'Definition'], ['changes', 'Changes'], ['start', 'Start a run']];

function GraphView({ name, graph, search }: { name: string; graph: Graph; search: DefinitionSearch }) {
  const navigate = useNavigate();
  const layout = useLayout(graph);
  const block = graph.blocks.find((one) => one.id === search.block);
  const choose = (at: number) => {
    const id = graph.blocks[at]!.id;
    void navigate({ to: '/flows/$name', params: { name }, search: { ...search, block: id === search.block ? undefined : id }, replace: true });
  };
  if (graph.blocks.length === 0) return <p className="empty">This version has no blocks.</p>;
  return (
    <div className="flow-definition">
      <p className="flow-counts"><span>{plural(graph.blocks.length, 'block')}</span></p>
      <FlowGraph graph={graph} layout={layout} chosen={block?.at} onChoose={choose} label="Blocks of the flow" />
      {block ? (
        <section className="block-panel" aria-label={`Block ${block.id}`} data-panel={block.id}>
          <header><span className="kind">{block.type}</span><strong>{block.id}</strong></header>
          <p className="block-facts"><span>{waitsWords(graph, block)}</span></p>
          <pre className="value" tabIndex={0} role="group" aria-label="Definition of the block">{yamlOf(block.spec)}</pre>
        </section>
      ) : <p className="note">Choose a block to read what it says.</p>}
    </div>
  );
}

export function FlowScreen({ name, search }: { name: string; search: DefinitionSearch }) {
  const shown = useQuery(flowQuery(name, search.version));
  const view: View = search.view ?? 'graph';
  const version = shown.data?.version;
  const definition = shown.data?.definition;
  const graph = useMemo(() => graphOf(definition), [definition]);
  const said = textOf(fieldsOf(fieldsOf(definition)['metadata'])['description']);
  return (
    <div className="screen agent-screen">
      <div className="title">
        <h1>{name}</h1>
        {version && <code className="hash" title={version}>{version.slice(0, 12)}</code>}
        {shown.data?.current && <span className="chip completed">current</span>}
        <span className="agent-links">
          <Link to="/runs" search={{ agent: agentOfFlow(name) }}>Runs</Link>
          <Link to="/flows">All flows</Link>
        </span>
      </div>
      {said && <p className="note">{said}</p>}
      <QueryState of={shown} />
      {version && (
        <div className="agent-panes">
          <section aria-label={VIEWS.find(([id]) => id === view)?.[1]}>
            <nav className="tabs" aria-label="Views of the flow">
              {VIEWS.map(([id, words]) => (
                <Link key={id} to="/flows/$name" params={{ name }} search={{ ...search, view: id === 'graph' ? undefined : id }} replace
                  activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }} activeProps={{}} inactiveProps={{}} aria-current={id === view ? 'page' : undefined}>{words}</Link>
              ))}
            </nav>
            {view === 'graph' && <GraphView name={name} graph={graph} search={search} />}
            {view === 'definition' && <Lines text={yamlOf(definition)} label="Definition" />}
            {view === 'changes' && <Changes name={agentOfFlow(name)} page={{ to: '/flows/$name', params: { name } }} version={version} against={search.against} search={search} />}
            {view === 'start' && <StartFlow key={version} name={name} version={version} schema={graph.input} />}
          </section>
          <aside aria-label="Versions">
            <Versions name={agentOfFlow(name)} page={{ to: '/flows/$name', params: { name } }} shown={version} search={search} />
          </aside>
        </div>
      )}
    </div>
  );
}
