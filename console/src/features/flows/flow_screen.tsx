// One flow: a version of it as a graph and as text, what changed against another, and a run of it. The address says which.

import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { flowQuery } from '../../api/flows';
import { agentOfFlow, graphOf, waitsWords, type Graph } from '../../model/flow';
import { plural } from '../../model/text';
import { yamlOf } from '../../model/yaml';
import { DefinitionScreen, type DefinitionSearch, type Views } from '../agents/definition_screen';
import { Lines } from '../agents/lines';
import { FlowGraph, useLayout } from './flow_graph';
import { StartFlow } from './start_flow';
import './flows.css';

type View = 'graph' | 'definition' | 'changes' | 'start';
const VIEWS: Views<View> = [['graph', 'Graph'], ['definition', 'Definition'], ['changes', 'Changes'], ['start', 'Start a run']];

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
  const graph = useMemo(() => graphOf(shown.data?.definition), [shown.data?.definition]);
  return (
    <DefinitionScreen page={{ to: '/flows/$name', params: { name } }} subject={agentOfFlow(name)} search={search} shown={shown} views={VIEWS} view={view}>
      {({ version, definition }) => (
        <>
          {view === 'graph' && <GraphView name={name} graph={graph} search={search} />}
          {view === 'definition' && <Lines text={yamlOf(definition)} label="Definition" />}
          {view === 'start' && <StartFlow key={version} name={name} version={version} schema={graph.input} />}
        </>
      )}
    </DefinitionScreen>
  );
}
