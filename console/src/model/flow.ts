// A flow's definition as a graph: pure. It reads the canonical form, as src/flows/block/program_json.cc writes it.

import { fieldsOf, textOf, type Fields } from './events';

// A run of a flow is a run of the agent flow:NAME.
const PREFIX = 'flow:';
export const isFlow = (agent: string): boolean => agent.startsWith(PREFIX);
export const flowOfAgent = (agent: string): string => agent.slice(PREFIX.length);
export const agentOfFlow = (flow: string): string => PREFIX + flow;

export const DONE = 'done';
export const ERROR = 'error';

export interface Need { block: number; outlet: string }
export interface Block {
  at: number; // its place; as a step of a run it is one more
  id: string;
  type: string;
  name: string; // for people; empty: none
  needs: Need[];
  any: boolean; // one of the needs is enough
  spec: Fields; // all that the definition says of it
}
export interface Graph {
  blocks: Block[];
  order: number[]; // each behind all that it needs
  behind: number[][]; // by block: those that need it
  input: unknown; // JSON Schema; undefined: anything
}

export const stepOf = (at: number): number => at + 1;
export const blockOfStep = (step: number): number => step - 1;

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

// "find" or "decide.large"; ids have no dot.
function needsOf(spec: Fields, places: ReadonlyMap<string, number>): Need[] {
  return listOf(spec['needs']).flatMap((said) => {
    const [id = '', outlet = DONE] = textOf(said).split('.', 2);
    const block = places.get(id);
    return block === undefined ? [] : [{ block, outlet }];
  });
}

// A block is counted down by those that it needs; what waits in a circle (there is none in what the server took) comes last.
function orderOf(blocks: readonly Block[], behind: readonly number[][]): number[] {
  const missing = blocks.map((block) => new Set(block.needs.map((need) => need.block)).size);
  const out = blocks.filter((block) => missing[block.at] === 0).map((block) => block.at);
  for (let i = 0; i < out.length; i++) {
    for (const next of behind[out[i]!]!) if (--missing[next]! === 0) out.push(next);
  }
  const seen = new Set(out);
  return [...out, ...blocks.map((block) => block.at).filter((at) => !seen.has(at))];
}

// `body`: the map or loop whose body it is, as the run of an item sees it.
export function graphOf(definition: unknown, body?: string): Graph {
  const spec = fieldsOf(fieldsOf(definition)['spec']);
  const all = listOf(spec['blocks']).map(fieldsOf);
  const specs = body === undefined ? all : listOf(all.find((one) => one['id'] === body)?.['blocks']).map(fieldsOf);
  const places = new Map(specs.map((one, at) => [textOf(one['id']), at]));
  const blocks = specs.map((one, at): Block => ({
    at, id: textOf(one['id']), type: textOf(one['type']), name: textOf(one['name']), needs: needsOf(one, places), any: one['join'] === 'any', spec: one,
  }));
  const behind: number[][] = blocks.map(() => []);
  for (const block of blocks) for (const before of new Set(block.needs.map((need) => need.block))) behind[before]!.push(block.at);
  return { blocks, order: orderOf(blocks, behind), behind, input: spec['input'] };
}

const needWords = (graph: Graph, { block, outlet }: Need): string => `${graph.blocks[block]!.id}${outlet === DONE ? '' : `.${outlet}`}`;

// What a block waits for, as one says it.
export function waitsWords(graph: Graph, block: Block): string {
  if (block.needs.length === 0) return 'begins at once';
  const of = block.needs.length === 1 ? '' : block.any ? 'any of ' : 'all of ';
  return `waits for ${of}${block.needs.map((need) => needWords(graph, need)).join(', ')}`;
}
