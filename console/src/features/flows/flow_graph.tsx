// The blocks of a flow as a picture in layers, each below what it needs. One stop of the tab key; arrow keys lead along rows and
// lines, Enter chooses. Each block says all of itself to those who do not see it.

import { memo, useEffect, useMemo, useRef, useState, useSyncExternalStore, type KeyboardEvent } from 'react';
import { waitsWords, type Block, type Graph } from '../../model/flow';
import { BLOCK_HEIGHT, BLOCK_WIDTH, layoutOf, NARROW_WIDTH, neighbourOf, type Edge, type Layout } from '../../model/flow_layout';
import { wasTaken, type BlockState } from '../../model/flow_run';
import { duration, plural } from '../../model/text';
import { signOf, wordOf } from '../../ui/chip';

// Of the fonts that flows.css names.
const ID_WIDTH = 7.9;
const NOTE_WIDTH = 6;
const SIGN_ROOM = 30;
const MAX_OUTLET = 18; // characters
const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);

// What stands below the name: of a run what it came to, else the type.
function noteOf(block: Block, state: BlockState | undefined): string {
  if (!state?.step) return state && state.status !== 'waiting' ? `${block.type} \u00B7 ${wordOf(state.status)}` : block.type;
  const time = duration(state.startedAt, state.endedAt || undefined);
  const outlet = state.outlet && state.outlet !== 'done' ? ` \u00B7 ${state.outlet}` : '';
  return `${state.attempts > 1 ? `${state.attempts}\u00D7 ` : ''}${time}${outlet}`;
}

// It begins with what is seen, so that who speaks to the page is understood.
function spoken(graph: Graph, block: Block, state: BlockState | undefined, seen: string): string {
  const stands = !state ? '' : [
    wordOf(state.status), state.outlet ? `outlet ${state.outlet}` : '', state.attempts > 1 ? plural(state.attempts, 'attempt') : '',
    state.step ? duration(state.startedAt, state.endedAt || undefined) : '', state.error,
  ].filter(Boolean).join(', ');
  return [seen, state?.step ? block.type : '', block.name, stands, waitsWords(graph, block)].filter(Boolean).join('; ');
}

const Line = memo(function Line({ edge, taken }: { edge: Edge; taken: boolean | undefined }) {
  return <path d={edge.path} className={taken === undefined ? 'flow-line' : taken ? 'flow-line taken' : 'flow-line left'} />;
});

const phone = matchMedia('(max-width: 46rem)');
const onPhone = (changed: () => void) => {
  phone.addEventListener('change', changed);
  return () => phone.removeEventListener('change', changed);
};

// As wide as there is room for two side by side.
export function useLayout(graph: Graph): Layout {
  const isNarrow = useSyncExternalStore(onPhone, () => phone.matches);
  return useMemo(() => layoutOf(graph, isNarrow ? NARROW_WIDTH : BLOCK_WIDTH), [graph, isNarrow]);
}

interface BoxProps { graph: Graph; block: Block; x: number; y: number; width: number; state: BlockState | undefined; chosen: boolean; isStop: boolean; onChoose: (at: number) => void }

function Box({ graph, block, x, y, width, state, chosen, isStop, onChoose }: BoxProps) {
  const left = state ? SIGN_ROOM : 12;
  const room = width - left - 8;
  const id = cut(block.id, Math.floor(room / ID_WIDTH));
  const note = cut(noteOf(block, state), Math.floor(room / NOTE_WIDTH));
  const isCut = id !== block.id;
  return (
    <g className={`flow-block ${state?.status ?? ''}${chosen ? ' chosen' : ''}`} transform={`translate(${x} ${y})`} data-block={block.id} data-status={state?.status}
      role="button" tabIndex={isStop ? 0 : -1} aria-current={chosen ? 'step' : undefined} aria-label={spoken(graph, block, state, `${isCut ? `${block.id} ` : ''}${id} ${note}`)} onClick={() => onChoose(block.at)}>
      {isCut && <title>{`${block.id} `}</title>}
      <rect width={width} height={BLOCK_HEIGHT} rx={9} />
      {state && <text className="flow-sign" x={12} y={21}>{signOf(state.status)}</text>}
      <text className="flow-id" x={left} y={21}>{id}</text>{' '}
      <text className="flow-note" x={left} y={39}>{note}</text>
    </g>
  );
}

interface Props { graph: Graph; layout: Layout; states?: readonly BlockState[] | undefined; chosen: number | undefined; onChoose: (at: number) => void; label: string }

export function FlowGraph({ graph, layout, states, chosen, onChoose, label }: Props) {
  const [stop, setStop] = useState(graph.order[0] ?? 0);
  const picture = useRef<SVGSVGElement>(null);
  const elementOf = (at: number) => picture.current?.querySelector<SVGGElement>(`[data-block="${CSS.escape(graph.blocks[at]?.id ?? '')}"]`);
  // What is chosen, or where it begins, is in view: in the picture's own room, the page stays where it is read.
  const shown = useRef<Layout | null>(null);
  useEffect(() => {
    if (chosen === undefined && shown.current === layout) return; // nothing is chosen any more: it stays
    shown.current = layout;
    if (chosen !== undefined) setStop(chosen);
    const [box, room] = [elementOf(chosen ?? graph.order[0] ?? 0), picture.current?.parentElement];
    if (!box || !room) return;
    const [inner, outer] = [box.getBoundingClientRect(), room.getBoundingClientRect()];
    if (chosen === undefined || inner.left < outer.left || inner.right > outer.right) room.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
    if (inner.top < outer.top || inner.bottom > outer.bottom) room.scrollTop += inner.top + inner.height / 2 - (outer.top + outer.height / 2);
  }, [chosen, layout]);
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onChoose(stop);
      return;
    }
    const next = neighbourOf(graph, layout, stop, event.key);
    if (next === undefined) return;
    event.preventDefault();
    setStop(next);
    elementOf(next)?.focus();
  };
  return (
    <div className="flow-room">
      <svg ref={picture} className="flow-picture" width={layout.width} height={layout.height} viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-label={label} onKeyDown={press}
        onFocus={(event) => { const at = graph.blocks.findIndex((block) => block.id === (event.target as Element).getAttribute('data-block')); if (at >= 0) setStop(at); }}>
        <g aria-hidden="true">
          {layout.edges.map((edge) => <Line key={`${edge.from} ${edge.to}`} edge={edge} taken={states && wasTaken(states, edge.from, edge.outlets)} />)}
          {layout.edges.map((edge) => edge.label && <text key={`${edge.from} ${edge.to}`} className="flow-outlet" x={edge.label.x} y={edge.label.y}>{cut(edge.label.text, MAX_OUTLET)}</text>)}
        </g>
        {graph.order.map((at) => (
          <Box key={at} graph={graph} block={graph.blocks[at]!} x={layout.places[at]!.x} y={layout.places[at]!.y} width={layout.blockWidth} state={states?.[at]} chosen={at === chosen} isStop={at === stop} onChoose={onChoose} />
        ))}
      </svg>
    </div>
  );
}
