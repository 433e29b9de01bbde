// A run of a flow: its graph, how each block stands, and of the chosen one a payload at a time. The chosen step is that of the
// timeline and the transcript.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { agentQuery } from '../../api/agents';
import type { Run } from '../../api/client';
import { textOf } from '../../model/events';
import { blockOfStep, graphOf, stepOf, waitsWords, type Block, type Graph } from '../../model/flow';
import { countsOf, statesOf, type BlockState } from '../../model/flow_run';
import type { RunLog } from '../../model/run_log';
import { duration, plural } from '../../model/text';
import { yamlOf } from '../../model/yaml';
import { Chip, wordOf } from '../../ui/chip';
import { QueryState } from '../../ui/query_state';
import { useKeys } from '../../ui/use_keys';
import { useNow } from '../../ui/use_now';
import { Value } from '../../ui/value';
import { ItemRuns } from '../run/item_runs';
import { EndView } from '../run/items';
import { FlowGraph, useLayout } from './flow_graph';
import './flows.css';

const PARTS = [['result', 'Result'], ['arguments', 'Arguments'], ['log', 'Log'], ['definition', 'Definition']] as const;
type Part = (typeof PARTS)[number][0];

function Payload({ part, block, state, run }: { part: Part; block: Block; state: BlockState; run: string }) {
  if (part === 'definition') return <pre className="value" tabIndex={0} role="group" aria-label="Definition">{yamlOf(block.spec)}</pre>;
  const data = state.step?.data ?? {};
  if (part === 'arguments') return data['arguments'] === undefined ? <p className="note">{state.step ? 'It calls nothing outside.' : 'It has not begun.'}</p> : <Value of={data['arguments']} />;
  if (part === 'log') return <pre className="value" tabIndex={0} role="group" aria-label="Log">{textOf(data['log'])}</pre>;
  if (state.error) return <><p className="note">{String(data['error_type'] ?? 'error')}</p><p className="problem">{state.error}</p></>;
  if (data['result'] === undefined) return <p className="note">{state.step ? 'It has not ended.' : 'It has no result.'}</p>;
  return (
    <>
      <Value of={data['result']} />
      {data['output'] !== undefined && <p className="note"><a href={`/api/v1/runs/${encodeURIComponent(run)}/steps/${stepOf(block.at)}/output`} download>all of it as a file</a></p>}
    </>
  );
}

function Chosen({ graph, block, state, run }: { graph: Graph; block: Block; state: BlockState; run: string }) {
  const [wanted, setPart] = useState<Part>('result');
  const parts = PARTS.filter(([one]) => one !== 'log' || textOf(state.step?.data['log']));
  const part = parts.some(([one]) => one === wanted) ? wanted : 'result';
  return (
    <section className="block-panel" aria-label={`Block ${block.id}`} data-panel={block.id}>
      <header><span className="kind">{block.type}</span><strong>{block.id}</strong><Chip status={state.status} /></header>
      {block.name && <p className="note">{block.name}</p>}
      <p className="block-facts">
        {state.outlet && <span>outlet <code>{state.outlet}</code></span>}
        {state.step && <span>{duration(state.startedAt, state.endedAt || undefined)}</span>}
        {state.attempts > 1 && <span>{plural(state.attempts, 'attempt')}</span>}
        <span>{waitsWords(graph, block)}</span>
      </p>
      <div className="payload-choice" role="group" aria-label="What is shown of it">
        {parts.map(([one, words]) => <button key={one} type="button" className="button small quiet" aria-pressed={one === part} onClick={() => setPart(one)}>{one === 'result' && state.error ? 'Error' : words}</button>)}
      </div>
      <Payload part={part} block={block} state={state} run={run} />
      {state.step && <ItemRuns step={state.step} run={run} block={block.id} />}
    </section>
  );
}

interface Props { log: RunLog; version: number; run: Run; step: number | undefined; onStep: (step: number | undefined) => void }

export default function FlowRun({ log, version, run, step, onStep }: Props) {
  const definition = useQuery({ ...agentQuery(run.agent, run.version), staleTime: Infinity }); // a version never changes
  const body = log.parent?.of;
  const graph = useMemo(() => graphOf(definition.data?.definition, body), [definition.data, body]);
  const layout = useLayout(graph);
  const states = useMemo(() => statesOf(graph, log), [graph, log, version]);
  useNow(log.closed ? 60_000 : 1000); // what runs grows older
  const panel = useRef<HTMLDivElement>(null);
  const chosen = step === undefined ? undefined : blockOfStep(step);
  useEffect(() => { if (chosen !== undefined) panel.current?.scrollIntoView({ block: 'nearest' }); }, [chosen, graph]);
  const ran = graph.order.filter((at) => states[at]!.step);
  const move = (by: number) => {
    const at = chosen === undefined ? (by > 0 ? -1 : ran.length) : ran.indexOf(chosen);
    const next = ran[at + by];
    if (next !== undefined) onStep(stepOf(next));
  };
  useKeys([
    { keys: ']', says: 'Next block', run: () => move(1) },
    { keys: '[', says: 'Block before', run: () => move(-1) },
    { keys: 'f', says: 'No block in particular', run: () => onStep(undefined) },
  ]);
  const end = log.items.findLast((item) => item.kind === 'end');
  const block = chosen === undefined ? undefined : graph.blocks[chosen];
  return (
    <div className="flow-run">
      <QueryState of={definition} />
      {graph.blocks.length > 0 && (
        <>
          <p className="flow-counts">{countsOf(states).map(([status, count]) => <span key={status}>{count} {wordOf(status)}</span>)}</p>
          <FlowGraph graph={graph} layout={layout} states={states} chosen={chosen} onChoose={(at) => onStep(at === chosen ? undefined : stepOf(at))} label="Blocks of the run" />
        </>
      )}
      <div ref={panel} className="flow-panel">
        {block && <Chosen graph={graph} block={block} state={states[block.at]!} run={log.run} />}
        {!block && graph.blocks.length > 0 && <p className="note">Choose a block to see what it got and gave.</p>}
        {end && !block && <EndView item={end} output={run.output} />}
      </div>
    </div>
  );
}
