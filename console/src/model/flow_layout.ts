// Where the blocks of a flow stand: in layers, from top to bottom, each below all that it needs. Pure, and as fast as a flow is
// large: a few passes over its blocks and edges.

import { DONE, type Graph } from './flow';

export const BLOCK_WIDTH = 184;
export const NARROW_WIDTH = 158; // on a phone two blocks stand side by side
export const BLOCK_HEIGHT = 50;
const GAP_X = 18;
const GAP_Y = 50;
const MARGIN = 10;
const BEND_WIDTH = 10; // of a long edge, where it passes a layer
const MAX_BENDS = 5000; // in a flow with more, long edges go straight
const ORDER_PASSES = 4;
const PLACE_PASSES = 6;

export interface Place { x: number; y: number; layer: number } // its left upper corner
export interface Edge {
  from: number;
  to: number;
  outlets: string[];
  path: string; // of SVG
  label: { x: number; y: number; text: string } | undefined; // an outlet that is not `done`
}
export interface Layout { width: number; height: number; blockWidth: number; places: Place[]; edges: Edge[]; rows: number[][] }

// A block, or a bend of an edge, while the places are sought.
interface Node { width: number; layer: number; up: number[]; down: number[]; x: number }
interface Line { from: number; to: number; outlets: string[]; bends: number[] }

function layersOf(graph: Graph): number[] {
  const out = graph.blocks.map(() => 0);
  for (const at of graph.order) for (const { block } of graph.blocks[at]!.needs) out[at] = Math.max(out[at]!, out[block]! + 1);
  return out;
}

// One line for two blocks, whatever outlets lead from one to the other.
function linesOf(graph: Graph): Line[] {
  const out: Line[] = [];
  for (const block of graph.blocks) {
    const known = new Map<number, Line>();
    for (const { block: from, outlet } of block.needs) {
      const line = known.get(from);
      if (line) line.outlets.push(outlet);
      else known.set(from, { from, to: block.at, outlets: [outlet], bends: [] });
    }
    out.push(...known.values());
  }
  return out;
}

function connect(nodes: Node[], from: number, to: number): void {
  nodes[from]!.down.push(to);
  nodes[to]!.up.push(from);
}

function nodesOf(layers: readonly number[], lines: readonly Line[], blockWidth: number): Node[] {
  const node = (width: number, layer: number): Node => ({ width, layer, up: [], down: [], x: 0 });
  const nodes = layers.map((layer) => node(blockWidth, layer));
  const bends = lines.reduce((sum, line) => sum + layers[line.to]! - layers[line.from]! - 1, 0);
  for (const line of lines) {
    let before = line.from;
    if (bends <= MAX_BENDS) {
      for (let layer = layers[line.from]! + 1; layer < layers[line.to]!; layer++) {
        nodes.push(node(BEND_WIDTH, layer));
        line.bends.push(nodes.length - 1);
        connect(nodes, before, nodes.length - 1);
        before = nodes.length - 1;
      }
    }
    connect(nodes, before, line.to);
  }
  return nodes;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

// Within a layer, as those stand that they are tied to: fewer lines cross.
function arrange(rows: number[][], nodes: readonly Node[]): void {
  const rank = nodes.map(() => 0);
  const note = (row: number[]) => row.forEach((at, place) => { rank[at] = place; });
  rows.forEach(note);
  for (let pass = 0; pass < ORDER_PASSES; pass++) {
    const down = pass % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) {
      const wanted = new Map(row.map((at) => {
        const tied = down ? nodes[at]!.up : nodes[at]!.down;
        return [at, tied.length > 0 ? mean(tied.map((one) => rank[one]!)) : rank[at]!] as const;
      }));
      row.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
      note(row);
    }
  }
}

// The places nearest to those that are wanted, in this order and without overlaps (least squares: neighbours that would meet
// move as one).
export function spread(wanted: readonly number[], distances: readonly number[]): number[] {
  const groups: { sum: number; count: number }[] = [];
  const offsets: number[] = [];
  wanted.forEach((want, i) => {
    offsets.push(i === 0 ? 0 : offsets[i - 1]! + distances[i - 1]!);
    let group = { sum: want - offsets[i]!, count: 1 };
    for (let last = groups.at(-1); last && last.sum / last.count >= group.sum / group.count; last = groups.at(-1)) {
      group = { sum: group.sum + last.sum, count: group.count + last.count };
      groups.pop();
    }
    groups.push(group);
  });
  const out: number[] = [];
  for (const { sum, count } of groups) for (let i = 0; i < count; i++) out.push(sum / count + offsets[out.length]!);
  return out;
}

// Centres: first side by side, then above and below what each is tied to.
function place(rows: readonly number[][], nodes: readonly Node[]): void {
  const distances = rows.map((row) => row.slice(1).map((at, i) => (nodes[row[i]!]!.width + nodes[at]!.width) / 2 + GAP_X));
  const put = (row: readonly number[], wanted: number[], between: readonly number[]) =>
    spread(wanted, between).forEach((x, i) => { nodes[row[i]!]!.x = x; });
  rows.forEach((row, i) => put(row, row.map(() => 0), distances[i]!));
  for (let pass = 0; pass < PLACE_PASSES; pass++) {
    const down = pass % 2 === 0;
    for (let i = 0; i < rows.length; i++) {
      const at = down ? i : rows.length - 1 - i;
      const row = rows[at]!;
      put(row, row.map((one) => {
        const tied = down ? nodes[one]!.up : nodes[one]!.down;
        return tied.length > 0 ? mean(tied.map((other) => nodes[other]!.x)) : nodes[one]!.x;
      }), distances[at]!);
    }
  }
}

const topOf = (layer: number): number => MARGIN + layer * (BLOCK_HEIGHT + GAP_Y);

function edgeOf(line: Line, nodes: readonly Node[], shift: number): Edge {
  const round = (x: number) => Math.round(x + shift);
  const way: [number, number][] = [[round(nodes[line.from]!.x), topOf(nodes[line.from]!.layer) + BLOCK_HEIGHT]];
  for (const bend of line.bends) {
    const { x, layer } = nodes[bend]!;
    way.push([round(x), topOf(layer)], [round(x), topOf(layer) + BLOCK_HEIGHT]);
  }
  way.push([round(nodes[line.to]!.x), topOf(nodes[line.to]!.layer)]);
  const [[x0, y0], [x1, y1]] = [way[0]!, way[1]!];
  let path = `M${x0} ${y0}`;
  way.slice(1).forEach(([x, y], i) => {
    const [px, py] = way[i]!;
    path += x === px ? `V${y}` : `C${px} ${(py + y) / 2} ${x} ${(py + y) / 2} ${x} ${y}`;
  });
  const text = line.outlets.every((outlet) => outlet === DONE) ? '' : line.outlets.join(', ');
  return { from: line.from, to: line.to, outlets: line.outlets, path, label: text ? { x: Math.round((x0 + x1) / 2), y: Math.round((y0 + Math.min(y1, y0 + GAP_Y)) / 2), text } : undefined };
}

export function layoutOf(graph: Graph, blockWidth = BLOCK_WIDTH): Layout {
  const layers = layersOf(graph);
  const lines = linesOf(graph);
  const nodes = nodesOf(layers, lines, blockWidth);
  const all: number[][] = Array.from({ length: layers.reduce((most, layer) => Math.max(most, layer + 1), 0) }, () => []);
  nodes.forEach((node, at) => all[node.layer]!.push(at));
  arrange(all, nodes);
  place(all, nodes);
  const left = nodes.reduce((least, { x, width }) => Math.min(least, x - width / 2), Infinity);
  const right = nodes.reduce((most, { x, width }) => Math.max(most, x + width / 2), -Infinity);
  const shift = MARGIN - left;
  return {
    blockWidth, width: nodes.length === 0 ? 0 : Math.ceil(right - left + 2 * MARGIN),
    height: all.length === 0 ? 0 : topOf(all.length - 1) + BLOCK_HEIGHT + MARGIN,
    places: layers.map((layer, at) => ({ x: Math.round(nodes[at]!.x - blockWidth / 2 + shift), y: topOf(layer), layer })),
    edges: lines.map((line) => edgeOf(line, nodes, shift)),
    rows: all.map((row) => row.filter((at) => at < layers.length)),
  };
}

// Where an arrow key leads from a block: along its row, or to the nearest of those that it is tied to.
export function neighbourOf(graph: Graph, layout: Layout, at: number, key: string): number | undefined {
  const here = layout.places[at];
  if (!here) return undefined;
  const nearest = (of: readonly number[]) => of.toSorted((a, b) => Math.abs(layout.places[a]!.x - here.x) - Math.abs(layout.places[b]!.x - here.x))[0];
  const row = layout.rows[here.layer]!;
  switch (key) {
    case 'ArrowDown': return nearest(graph.behind[at]!);
    case 'ArrowUp': return nearest(graph.blocks[at]!.needs.map((need) => need.block));
    case 'ArrowLeft': return row[row.indexOf(at) - 1];
    case 'ArrowRight': return row[row.indexOf(at) + 1];
    case 'Home': return graph.order[0];
    case 'End': return graph.order.at(-1);
    default: return undefined;
  }
}
